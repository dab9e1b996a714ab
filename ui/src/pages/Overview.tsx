/** What to do now, the score with its coverage, composition, recent scans. Every number leads to the table behind it. */

import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { ArrowRight } from "lucide-react";
import { may, SEVERITIES, type SeverityCounts, type User } from "../api/model";
import { findingsQuery, loadDemo, meQuery, scansQuery, summaryQuery, trendQuery } from "../api/queries";
import { toast } from "../app/toasts";
import { Button } from "../components/Button";
import { Link } from "../components/Link";
import {
  Ago,
  DemoMark,
  ScanStatusMark,
  Score,
  SeverityBar,
  SeverityCountsMark,
  SeverityMark,
} from "../components/marks";
import { ErrorState, SkeletonLines, State } from "../components/states";
import type { Search } from "../lib/url-state";
import { t } from "../strings";
import { TrendArea } from "./overview/TrendArea";

const DAY = 86_400_000;

/** Before the first scan: what one may begin with. */
function First({ user }: { user: User | undefined }) {
  const navigate = useNavigate();
  const client = useQueryClient();
  const demo = useMutation({
    mutationFn: loadDemo,
    onError: toast.error,
    onSettled: () => client.invalidateQueries(),
  });
  const adds = may(user, "assets.manage");
  const runs = may(user, "scans.run");
  return (
    <State title={t.overview.firstTitle} text={adds || runs ? t.overview.firstText : t.overview.firstOthers}>
      {(adds || runs) && (
        <>
          {adds && (
            <Button onClick={() => void navigate({ to: "/assets" as never, search: { do: "add" } as never })}>
              {t.overview.addAsset}
            </Button>
          )}
          {runs && (
            <Button variant="default" onClick={() => void navigate({ to: "/scans/new" as never })}>
              {t.overview.newScan}
            </Button>
          )}
          {adds && runs && (
            <Button variant="default" loading={demo.isPending} onClick={() => demo.mutate()}>
              {t.settings.demoLoad}
            </Button>
          )}
        </>
      )}
    </State>
  );
}

export function Overview() {
  const navigate = useNavigate();
  const me = useQuery(meQuery);
  const summary = useQuery({ ...summaryQuery, refetchInterval: 30_000 });
  const scans = useQuery({
    ...scansQuery({ page: 1, page_size: 5, sort: "id", sort_dir: "desc" }),
    enabled: may(me.data, "scans.view"),
    refetchInterval: 30_000,
  });
  const trend = useQuery(trendQuery(30));
  const reopened = useQuery({
    ...findingsQuery({ page: 1, page_size: 1, reopened: "true", status: "open" }),
    enabled: may(me.data, "findings.view"),
  });

  if (summary.isError && !summary.data)
    return <ErrorState error={summary.error} retry={() => void summary.refetch()} />;
  const data = summary.data;
  if (!data) return <SkeletonLines lines={10} />;

  const counts: SeverityCounts = {
    critical: data.critical_count,
    high: data.high_count,
    medium: data.medium_count,
    low: data.low_count,
    info: data.info_count,
  };
  const since = new Date(Math.floor((Date.now() - DAY) / 60_000) * 60_000).toISOString();
  const todo = (
    [
      [counts.critical, t.overview.critical, "/findings", { severity: "critical", status: "open" }],
      [counts.high, t.overview.high, "/findings", { severity: "high", status: "open" }],
      [data.new_24h, t.overview.fresh, "/findings", { first_seen_from: since }],
      [reopened.data?.total ?? 0, t.overview.reopened, "/findings", { reopened: "true", status: "open" }],
      [data.failed_scans_7d, t.overview.failedScans, "/scans", { status: "failed" }],
      [data.stale_assets, t.overview.unscanned, "/assets", { stale: "true" }],
    ] as [number, (count: number) => string, string, Search][]
  ).filter(([count]) => count > 0);
  const started = (scans.data?.total ?? 0) > 0;

  return (
    <>
      <div className="pagehead">
        <div>
          <h1>{t.overview.title}</h1>
          {me.data && <p>{me.data.organization.name}</p>}
        </div>
        {started && may(me.data, "scans.run") && (
          <Button onClick={() => void navigate({ to: "/scans/new" as never })}>{t.overview.newScan}</Button>
        )}
      </div>

      {scans.data && !started && (
        <div className="panel" style={{ marginBottom: 16 }}>
          <First user={me.data} />
        </div>
      )}

      {(!scans.data || started) && (
        <div className="cols">
          <section className="panel span-7" aria-labelledby="todo">
            <header>
              <h2 id="todo">{t.overview.todo}</h2>
            </header>
            {todo.length === 0 ? (
              <div className="body muted">{t.overview.todoNone}</div>
            ) : (
              <ul className="todo">
                {todo.map(([count, words, to, search]) => (
                  <li key={words(2)}>
                    <Link to={to} search={search}>
                      <b>{t.number(count)}</b>
                      <span>{words(count)}</span>
                      <ArrowRight aria-hidden />
                    </Link>
                  </li>
                ))}
              </ul>
            )}
          </section>

          <section className="panel span-5" aria-labelledby="posture">
            <header>
              <h2 id="posture">{t.overview.posture}</h2>
              {data.last_scan && (
                <span className="small muted">
                  <Link to={`/scans/${data.last_scan.id}`} className="inline">
                    {t.overview.fromScan(data.last_scan.id)}
                  </Link>
                  , <Ago at={data.last_scan.finished_at} />
                </span>
              )}
            </header>
            <div className="body">
              {data.score === null ? (
                <>
                  <h3>{t.overview.scoreNone}</h3>
                  <p className="muted">{t.overview.scoreNoneText}</p>
                </>
              ) : (
                <>
                  <div className="score">
                    <b>{data.score.toFixed(data.score % 1 === 0 ? 0 : 1)}</b>
                    <span className="muted">{t.overview.scoreOf}</span>
                  </div>
                  <Scale value={data.score} />
                  <p className="muted">{t.overview.assetsScored(data.scored_assets, data.total_assets)}</p>
                </>
              )}
              {data.coverage !== null && (
                <div style={{ marginTop: 14, display: "grid", gap: 6 }}>
                  <Meter value={data.coverage} label={t.overview.coverageLabel} />
                  <p>{t.overview.coverage(`${Math.round(data.coverage * 100)} %`)}</p>
                </div>
              )}
            </div>
          </section>

          <section className="panel span-7" aria-labelledby="severity">
            <header>
              <h2 id="severity">{t.overview.severity}</h2>
            </header>
            <div className="body">
              <SeverityBar counts={counts} height={20} />
              <div className="legend">
                {SEVERITIES.map((severity) => (
                  <Link key={severity} to="/findings" search={{ severity, status: "open" }}>
                    <SeverityMark value={severity} />
                    <b>{t.number(counts[severity])}</b>
                  </Link>
                ))}
              </div>
            </div>
          </section>

          <section className="panel span-5" aria-labelledby="trend">
            <header>
              <h2 id="trend">{t.overview.trend}</h2>
            </header>
            <div className="body">
              {trend.data && <TrendArea days={trend.data.trend} />}
              {trend.isError && <ErrorState error={trend.error} retry={() => void trend.refetch()} />}
              {trend.isPending && <SkeletonLines lines={4} />}
            </div>
          </section>

          <section className="panel span-7" aria-labelledby="recent">
            <header>
              <h2 id="recent">{t.overview.recent}</h2>
              <Link to="/scans">{t.overview.allScans}</Link>
            </header>
            <div className="tablescroll">
              <table className="data plain">
                <thead>
                  <tr>
                    <th scope="col">{t.scans.columns.id}</th>
                    <th scope="col">{t.scans.columns.targets}</th>
                    <th scope="col">{t.scans.columns.status}</th>
                    <th scope="col">{t.scans.columns.findings}</th>
                    <th scope="col">{t.scans.columns.started}</th>
                  </tr>
                </thead>
                <tbody>
                  {scans.data?.data.map((scan) => (
                    <tr key={scan.id}>
                      <td>
                        <Link to={`/scans/${scan.id}`} className="cell-idlink">
                          #{scan.id}
                        </Link>{" "}
                        <DemoMark on={scan.demo} />
                      </td>
                      <td style={{ width: "100%", maxWidth: 90 }}>
                        <span className="clip" title={scan.targets.join(", ")}>
                          {scan.targets.join(", ")}
                        </span>
                      </td>
                      <td>
                        <ScanStatusMark value={scan.status} partial={scan.partial} />
                      </td>
                      <td>
                        <SeverityCountsMark counts={scan.findings} />
                      </td>
                      <td>
                        <Ago at={scan.created_at} />
                      </td>
                    </tr>
                  ))}
                </tbody>
              </table>
            </div>
          </section>

          <section className="panel span-5" aria-labelledby="riskiest">
            <header>
              <h2 id="riskiest">{t.overview.riskiest}</h2>
              <Link to="/assets" search={{ sort: "score" }}>
                {t.overview.allAssets}
              </Link>
            </header>
            <div className="tablescroll">
              <table className="data plain">
                <thead>
                  <tr>
                    <th scope="col">{t.assets.columns.name}</th>
                    <th scope="col">{t.assets.columns.findings}</th>
                    <th scope="col" className="num">
                      {t.assets.columns.score}
                    </th>
                  </tr>
                </thead>
                <tbody>
                  {data.riskiest_assets.map((asset) => (
                    <tr key={asset.id}>
                      <td>
                        <Link to="/assets" search={{ open: asset.id }}>
                          <span className="clip" style={{ maxWidth: 200 }}>
                            {asset.name}
                          </span>
                        </Link>
                      </td>
                      <td>
                        <SeverityCountsMark counts={asset.open_findings} />
                      </td>
                      <td className="num">
                        <Score value={asset.score} />
                      </td>
                    </tr>
                  ))}
                  {data.riskiest_assets.length === 0 && (
                    <tr>
                      <td colSpan={3} className="muted">
                        {t.overview.scoreNone}
                      </td>
                    </tr>
                  )}
                </tbody>
              </table>
            </div>
          </section>
        </div>
      )}
    </>
  );
}

/** The score on its scale, with the caps that an open critical or high finding sets. */
function Scale({ value }: { value: number }) {
  return (
    <>
      <div className="scale" aria-hidden>
        {Array.from({ length: 20 }, (_, index) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: twenty fixed segments
          <i key={index} data-on={value >= (index + 0.5) * 5} />
        ))}
      </div>
      <div className="scalelabels" aria-hidden>
        <span style={{ left: 0 }}>0</span>
        <span style={{ left: "49%" }} title={t.overview.capCritical}>
          49 ◆
        </span>
        <span style={{ left: "79%" }} title={t.overview.capHigh}>
          79 ▲
        </span>
        <span style={{ left: "100%" }}>100</span>
      </div>
    </>
  );
}

/** A share with a real denominator. */
export function Meter({ value, label, done = false }: { value: number; label: string; done?: boolean }) {
  const percent = Math.round(Math.max(0, Math.min(1, value)) * 100);
  return (
    <div
      className="meter"
      data-done={done}
      role="progressbar"
      aria-label={label}
      aria-valuemin={0}
      aria-valuemax={100}
      aria-valuenow={percent}
    >
      <span style={{ width: `${percent}%` }} />
    </div>
  );
}
