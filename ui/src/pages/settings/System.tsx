/** The server: health, maintenance, log level, and what it works on. */
import { useQuery } from "@tanstack/react-query";
import { healthQuery, meQuery, systemQuery } from "../../api/queries";
import { Panel } from "../../components/Panel";
import { QueryState } from "../../components/QueryState";
import { SettingsPage } from "../../components/SettingsPage";
import { duration } from "../../lib/time";
import { t } from "../../strings";
import { Jobs } from "../system/Jobs";
import { LogLevel } from "../system/LogLevel";
import { Maintenance } from "../system/Maintenance";
import { partsOf } from "../system/parts";
import { Queues } from "../system/Queues";
import { Workers } from "../system/Workers";

const SECONDS = 10;

export function System() {
  const me = useQuery(meQuery);
  const parts = partsOf(me.data);
  return (
    <SettingsPage wide>
      {parts.page && (
        <>
          <div className="cols">
            <div className="span-6">
              <Health />
            </div>
            <div className="span-6 stack" style={{ alignContent: "start" }}>
              <Maintenance canManage={parts.command} />
              {parts.command && <LogLevel />}
            </div>
          </div>
          {parts.workers && <Workers />}
          <Queues />
          <Jobs canManage={parts.commandJobs} />
        </>
      )}
    </SettingsPage>
  );
}

const TONE: Record<string, [glyph: string, tone: string]> = {
  ok: ["✓", "st-pass"],
  connected: ["✓", "st-pass"],
  degraded: ["!", "st-warn"],
  unhealthy: ["✕", "st-fail"],
  disconnected: ["✕", "st-fail"],
  not_configured: ["–", "st-muted"],
};

function StateMark({ value, text }: { value: string; text: string | undefined }) {
  const [glyph, tone] = TONE[value] ?? ["", ""];
  return (
    <span className={`st ${tone}`}>
      <i aria-hidden>{glyph}</i>
      {text ?? value}
    </span>
  );
}

function Health() {
  const health = useQuery({ ...healthQuery, refetchInterval: SECONDS * 1000 });
  const system = useQuery({ ...systemQuery, refetchInterval: SECONDS * 1000 });
  return (
    <Panel title={t.system.health}>
      <QueryState query={system} lines={6}>
        {(state) => (
          <dl className="facts">
            <dt>{t.system.state}</dt>
            <dd>
              <span role="status">
                {health.data && !health.isError ? (
                  <StateMark value={health.data.status} text={t.system.status[health.data.status]} />
                ) : (
                  health.isError && <StateMark value="unhealthy" text={t.system.down} />
                )}
              </span>
            </dd>
            <dt>{t.system.database}</dt>
            <dd>
              {t.system.databases[state.database] ?? state.database}{" "}
              {health.data && (
                <StateMark value={health.data.database} text={t.system.connection[health.data.database]} />
              )}
            </dd>
            <dt>{t.system.redis}</dt>
            <dd>
              <StateMark value={state.redis} text={t.system.connection[state.redis]} />
            </dd>
            <dt>{t.system.jobs}</dt>
            <dd>{t.system.jobCounts(state.jobs.waiting, state.jobs.running, state.jobs.failed)}</dd>
            <dt>{t.system.version}</dt>
            <dd className="mono">{state.version}</dd>
            <dt>{t.system.checks}</dt>
            <dd>{t.system.catalogue(state.check_count, state.catalogue)}</dd>
            <dt>{t.system.uptime}</dt>
            <dd>{duration(state.uptime_seconds)}</dd>
          </dl>
        )}
      </QueryState>
    </Panel>
  );
}
