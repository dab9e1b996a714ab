/** Pieces of a schedule: when it comes next, what it scans, how it went. */
import type { Schedule, ScheduleRun } from "../../api/model";
import { Link } from "../../components/Link";
import { Ago } from "../../components/marks";
import { HERE, inZone, sameClock } from "../../lib/time";
import { t } from "../../strings";

/** An instant on the clock of the schedule, and on the reader's where that differs. */
export function ZonedTime({ at, zone }: { at: string; zone: string }) {
  return (
    <>
      <time dateTime={at}>{inZone(at, zone)}</time>
      {!sameClock(at, zone, HERE) && <div className="small muted">{t.schedules.here(inZone(at, HERE))}</div>}
    </>
  );
}

export function NextRun({ at, zone }: { at: string | null; zone: string }) {
  if (!at) return <span className="muted">{t.schedules.noNext}</span>;
  return (
    <>
      <Ago at={at} />
      <div className="small nowrap">
        <ZonedTime at={at} zone={zone} />
      </div>
    </>
  );
}

/** Only what is out of the ordinary. */
export function StateMark({ schedule }: { schedule: Schedule }) {
  if (!schedule.enabled) return <span className="tag">{t.schedules.stopped}</span>;
  if (schedule.waiting) return <span className="tag">{t.schedules.waiting}</span>;
  return null;
}

export function What({ scan }: { scan: Schedule["scan"] }) {
  const targets = scan.targets ?? [];
  const assets = scan.asset_ids?.length ?? 0;
  const parts = [
    assets > 0 ? t.schedules.assets(assets) : null,
    targets[0] ? t.schedules.targets(targets[0], targets.length - 1) : null,
  ].filter(Boolean);
  return (
    <>
      <span className="clip" title={targets.join(", ")}>
        {parts.join(", ")}
      </span>
      <div className="small muted">{t.newScan.profiles[scan.scan_type ?? "quick"] ?? scan.scan_type}</div>
    </>
  );
}

const OUTCOME: Record<string, [glyph: string, tone: string]> = {
  started: ["▸", ""],
  skipped: ["–", "st-muted"],
  missed: ["!", "st-warn"],
  failed: ["✕", "st-fail"],
};

export function OutcomeMark({ value }: { value: ScheduleRun["outcome"] }) {
  const [glyph, tone] = OUTCOME[value] ?? ["", ""];
  return (
    <span className={`st ${tone}`}>
      <i aria-hidden>{glyph}</i>
      {t.schedules.outcome[value] ?? value}
    </span>
  );
}

export function LastRun({ schedule }: { schedule: Schedule }) {
  if (!schedule.last_outcome) return <span className="muted">{t.common.never}</span>;
  return (
    <>
      <OutcomeMark value={schedule.last_outcome} />
      {schedule.last_scan_id !== null && schedule.last_outcome === "started" && (
        <>
          {" "}
          <Link to={`/scans/${schedule.last_scan_id}`} className="inline">
            #{schedule.last_scan_id}
          </Link>
        </>
      )}
      <div className="small muted">
        <Ago at={schedule.last_run_at} />
      </div>
    </>
  );
}
