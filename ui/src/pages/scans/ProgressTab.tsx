/** Steps with real counts. A share is shown only where there is a number to divide by. */
import type { Progress, Scan } from "../../api/model";
import { Ago, SeverityCountsMark } from "../../components/marks";
import { SkeletonLines } from "../../components/states";
import { duration } from "../../lib/time";
import { t } from "../../strings";
import { Meter } from "../Overview";
import { isFinal, type Live, POLL_SECONDS } from "./live";

export function ProgressTab({ scan, progress, live }: { scan: Scan; progress: Progress | undefined; live: Live }) {
  if (!progress) return <SkeletonLines />;
  const final = isFinal(progress.status);
  const steps: [string, number, number][] = [
    [t.scan.steps.hosts ?? "", progress.hosts_finished, progress.hosts_total],
    [t.scan.steps.ports ?? "", progress.ports_finished, progress.ports_total],
    [t.scan.steps.checks ?? "", progress.checks_finished, progress.checks_total],
  ];
  return (
    <section className="panel" aria-label={t.scan.tabs.progress}>
      <header>
        <h2 className="phase">
          {final ? t.scanStatus[progress.status] : progress.status === "pending" ? t.scan.steps.queued : progress.phase}
        </h2>
        {live !== "off" && (
          <span className="small muted">{live === "stream" ? t.scan.live : t.scan.polling(POLL_SECONDS)}</span>
        )}
      </header>
      <div className="body stack" style={{ maxWidth: 760 }}>
        <ol className="stepsbar">
          {steps.map(([name, done, total]) => (
            <li key={name}>
              <span>{name}</span>
              {total > 0 ? (
                <Meter value={done / total} label={name} done={done >= total} />
              ) : (
                <span className="small muted">{final ? t.common.none : t.scan.waiting}</span>
              )}
              <span className="num nowrap">{total > 0 ? t.common.of(done, total) : ""}</span>
            </li>
          ))}
        </ol>
        <dl className="facts">
          {progress.current && !final && (
            <>
              <dt>{t.scan.current}</dt>
              <dd className="mono">{progress.current}</dd>
            </>
          )}
          {progress.eta_seconds !== null && !final && (
            <>
              <dt>{t.scan.eta}</dt>
              <dd>{duration(progress.eta_seconds)}</dd>
            </>
          )}
          <dt>{t.scan.foundSoFar}</dt>
          <dd>
            <SeverityCountsMark counts={progress.findings} />
          </dd>
          {scan.finished_at && (
            <>
              <dt>{t.scan.steps.done}</dt>
              <dd>
                <Ago at={scan.finished_at} />
              </dd>
            </>
          )}
        </dl>
        <p className="sr" role="status">
          {t.scans.hosts(progress.hosts_finished, progress.hosts_total)}
        </p>
      </div>
    </section>
  );
}
