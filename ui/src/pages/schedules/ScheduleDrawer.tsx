import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import type { Schedule } from "../../api/model";
import { deleteSchedule, scheduleQuery, scheduleRunsQuery, updateSchedule } from "../../api/queries";
import { useDo } from "../../app/do";
import { Button } from "../../components/Button";
import { useConfirmed } from "../../components/confirmed";
import { Drawer } from "../../components/Drawer";
import { Link } from "../../components/Link";
import { Pages } from "../../components/Pages";
import { PlainTable } from "../../components/PlainTable";
import { QueryState } from "../../components/QueryState";
import { ErrorState, SkeletonLines } from "../../components/states";
import { exact } from "../../lib/time";
import { t } from "../../strings";
import { NextRun, OutcomeMark, StateMark } from "./parts";
import { ScheduleForm } from "./ScheduleForm";

export function ScheduleDrawer({
  id,
  canManage,
  canRun,
  onRun,
  onClose,
  onMove,
}: {
  id: string;
  canManage: boolean;
  canRun: boolean;
  onRun: (schedule: Schedule) => void;
  onClose: () => void;
  onMove: (step: 1 | -1) => void;
}) {
  const query = useQuery(scheduleQuery(id));
  const [editing, setEditing] = useState(false);
  const schedule = query.data;
  const pause = useDo(
    (enabled: boolean) => updateSchedule(id, { enabled }),
    ({ enabled, name }) => (enabled ? t.schedules.resumed(name) : t.schedules.paused(name)),
    [["schedules"]],
  );
  const [askDelete, dialog] = useConfirmed(
    (gone: Schedule) => deleteSchedule(gone.id),
    (gone) => ({
      title: t.schedules.deleteTitle(gone.name),
      text: t.schedules.deleteText,
      yes: t.schedules.delete,
      done: t.schedules.deleted(gone.name),
    }),
    [["schedules", "list"]],
    onClose,
  );
  return (
    <Drawer
      id={id}
      label={schedule?.name ?? t.schedules.one}
      onClose={onClose}
      onMove={onMove}
      head={
        schedule ? (
          <>
            <h2>
              {schedule.name} <StateMark schedule={schedule} />
            </h2>
            <span className="small muted">{schedule.cadence}</span>
          </>
        ) : null
      }
      footer={
        schedule && (canManage || canRun) ? (
          <div className="actions">
            {canRun && <Button onClick={() => onRun(schedule)}>{t.schedules.runNow}</Button>}
            {canManage && (
              <>
                <Button variant="default" loading={pause.isPending} onClick={() => pause.mutate(!schedule.enabled)}>
                  {schedule.enabled ? t.schedules.pause : t.schedules.resume}
                </Button>
                <Button variant="default" onClick={() => setEditing(true)}>
                  {t.schedules.edit}
                </Button>
                <Button variant="default" onClick={() => askDelete(schedule)}>
                  {t.common.delete}
                </Button>
              </>
            )}
          </div>
        ) : undefined
      }
    >
      {query.isError && (
        <ErrorState
          error={query.error}
          retry={() => void query.refetch()}
          title={t.notFound.missing(t.schedules.one)}
        />
      )}
      {!schedule && !query.isError && <SkeletonLines />}
      {schedule && (
        <>
          <section>
            <Facts schedule={schedule} />
          </section>
          <section>
            <h3>{t.schedules.history}</h3>
            <History key={id} id={id} />
          </section>
        </>
      )}
      {editing && schedule && <ScheduleForm schedule={schedule} onClose={() => setEditing(false)} />}
      {dialog}
    </Drawer>
  );
}

function Facts({ schedule }: { schedule: Schedule }) {
  const { scan } = schedule;
  const targets = scan.targets ?? [];
  const assets = scan.asset_ids?.length ?? 0;
  return (
    <dl className="facts">
      <dt>{t.schedules.columns.next}</dt>
      <dd>
        <NextRun at={schedule.next_run_at} zone={schedule.time_zone} />
      </dd>
      <dt>{t.schedules.facts.cron}</dt>
      <dd className="mono">{schedule.cron}</dd>
      <dt>{t.schedules.facts.zone}</dt>
      <dd>{schedule.time_zone}</dd>
      <dt>{t.schedules.columns.what}</dt>
      <dd>
        {assets > 0 && <div>{t.schedules.assets(assets)}</div>}
        {targets.length > 0 && <div className="mono small">{targets.join(", ")}</div>}
      </dd>
      <dt>{t.schedules.facts.profile}</dt>
      <dd>{t.newScan.profiles[scan.scan_type ?? "quick"] ?? scan.scan_type}</dd>
      <dt>{t.schedules.facts.jitter}</dt>
      <dd>
        {schedule.jitter_seconds > 0
          ? t.schedules.jitterText(schedule.jitter_offset_seconds, schedule.jitter_seconds)
          : t.schedules.noJitter}
      </dd>
      <dt>{t.schedules.facts.overlap}</dt>
      <dd>{t.schedules.form.overlaps[schedule.overlap]}</dd>
      <dt>{t.schedules.facts.catchUp}</dt>
      <dd>{t.schedules.form.catchUps[schedule.catch_up]}</dd>
      <dt>{t.schedules.facts.by}</dt>
      <dd>{schedule.created_by.username}</dd>
    </dl>
  );
}

function History({ id }: { id: string }) {
  const [page, setPage] = useState(1);
  const runs = useQuery(scheduleRunsQuery(id, page));
  return (
    <QueryState query={runs}>
      {(list) =>
        list.total === 0 ? (
          <p className="muted">{t.schedules.noRuns}</p>
        ) : (
          <>
            <PlainTable
              label={t.schedules.history}
              rows={list.data}
              id={(run) => run.id}
              columns={[
                { title: t.schedules.historyColumns.at, cell: (run) => exact(run.fire_at) },
                {
                  title: t.schedules.historyColumns.outcome,
                  cell: (run) => (
                    <>
                      <OutcomeMark value={run.outcome} />
                      {run.reason && <div className="small muted">{run.reason}</div>}
                    </>
                  ),
                },
                {
                  title: t.schedules.historyColumns.cause,
                  wide: true,
                  cell: (run) => t.schedules.cause[run.cause] ?? run.cause,
                },
                {
                  title: t.schedules.historyColumns.scan,
                  cell: (run) =>
                    run.scan_id === null ? (
                      <span className="muted">–</span>
                    ) : (
                      <Link to={`/scans/${run.scan_id}`}>#{run.scan_id}</Link>
                    ),
                },
              ]}
            />
            <Pages page={page} pages={list.total_pages} go={setPage} />
          </>
        )
      }
    </QueryState>
  );
}
