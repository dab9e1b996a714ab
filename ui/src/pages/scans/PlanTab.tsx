/** What was planned, what gave an answer, and why the rest did not: the honesty behind the score. */

import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useMemo, useState } from "react";
import type { HostResult, OutcomeCounts, Scan, VerdictRecord } from "../../api/model";
import { resultsQuery, verdictsQuery } from "../../api/queries";
import { Button } from "../../components/Button";
import { VerdictMark } from "../../components/marks";
import { Notice } from "../../components/Notice";
import { Pages } from "../../components/Pages";
import { PlainTable } from "../../components/PlainTable";
import { ErrorState, SkeletonLines, State } from "../../components/states";
import { t } from "../../strings";
import { isFinal } from "./live";

const OUTCOMES = ["fail", "error", "not_tested", "not_applicable", "pass"] as const;
const COUNT: Record<(typeof OUTCOMES)[number], keyof OutcomeCounts> = {
  pass: "passed",
  fail: "failed",
  error: "error",
  not_applicable: "not_applicable",
  not_tested: "not_tested",
};
const STEP = 200;
/** The verdicts of a scan are one document; one with more is fetched only when asked for. */
const AT_ONCE = 20_000;
const HOSTS_A_PAGE = 50;

export function PlanTab({ scan }: { scan: Scan }) {
  const [shown, setShown] = useState<(typeof OUTCOMES)[number] | "all">("all");
  const [text, setText] = useState("");
  const [limit, setLimit] = useState(STEP);
  const final = isFinal(scan.status);
  const counts = scan.outcomes;
  const [asked, setAsked] = useState(false);
  const known = useQueryClient().getQueryData(verdictsQuery(scan.id).queryKey) !== undefined;
  const listed = final && (counts.planned <= AT_ONCE || asked || known);
  const verdicts = useQuery({ ...verdictsQuery(scan.id), enabled: listed });

  const rows = useMemo(() => {
    const needle = text.trim().toLowerCase();
    return (verdicts.data ?? [])
      .filter((verdict) => shown === "all" || verdict.verdict === shown)
      .filter(
        (verdict) =>
          !needle ||
          `${verdict.check_id} ${verdict.asset} ${verdict.location} ${verdict.reason ?? ""}`
            .toLowerCase()
            .includes(needle),
      )
      .sort((a, b) => OUTCOMES.indexOf(a.verdict) - OUTCOMES.indexOf(b.verdict) || key(a).localeCompare(key(b)));
  }, [verdicts.data, shown, text]);

  return (
    <div className="stack">
      <p className="muted">{t.scan.planText}</p>
      {final && !listed && (
        <>
          <Notice kind="info">
            {t.scan.planLarge(counts.planned)}{" "}
            <button type="button" className="linkbtn" onClick={() => setAsked(true)}>
              {t.scan.planLoad(counts.planned)}
            </button>
          </Notice>
          <HostPlans scan={scan} />
        </>
      )}
      {(!final || listed) && (
        <div className="tablebar">
          <button
            type="button"
            className="filterbtn"
            aria-pressed={shown === "all"}
            data-on={shown === "all"}
            onClick={() => setShown("all")}
          >
            {t.scan.allVerdicts} · {t.number(counts.planned)}
          </button>
          {OUTCOMES.map((outcome) => (
            <button
              key={outcome}
              type="button"
              className="filterbtn"
              aria-pressed={shown === outcome}
              data-on={shown === outcome}
              onClick={() => {
                setShown(outcome);
                setLimit(STEP);
              }}
            >
              <VerdictMark value={outcome} /> · {t.number(counts[COUNT[outcome]])}
            </button>
          ))}
          <span className="grow" />
          <div className="query plain">
            <input
              type="text"
              aria-label={t.table.searchLabel}
              placeholder={t.scan.planSearch}
              value={text}
              onChange={(event) => setText(event.target.value)}
            />
          </div>
        </div>
      )}
      {!final && <State title={t.scan.planLater} text={t.scan.planLaterText} />}
      {verdicts.isError && <ErrorState error={verdicts.error} retry={() => void verdicts.refetch()} />}
      {listed && verdicts.isPending && <SkeletonLines />}
      {verdicts.data && (
        <div className="tablewrap sticky">
          <table className="data" data-density="compact" aria-label={t.scan.tabs.plan}>
            <thead>
              <tr>
                <th scope="col">{t.scan.verdict}</th>
                <th scope="col">{t.scan.check}</th>
                <th scope="col">{t.scan.host}</th>
                <th scope="col">{t.scan.where}</th>
                <th scope="col">{t.scan.reason}</th>
              </tr>
            </thead>
            <tbody>
              {rows.slice(0, limit).map((verdict) => (
                <tr key={key(verdict)}>
                  <td>
                    <VerdictMark value={verdict.verdict} />
                  </td>
                  <td className="mono small">{verdict.check_id}</td>
                  <td>{verdict.asset}</td>
                  <td className="mono small">{verdict.location}</td>
                  <td className="muted">{verdict.reason}</td>
                </tr>
              ))}
              {rows.length === 0 && (
                <tr>
                  <td colSpan={5}>
                    <State title={t.scan.noVerdicts} />
                  </td>
                </tr>
              )}
            </tbody>
          </table>
        </div>
      )}
      {rows.length > limit && (
        <div>
          <Button variant="default" onClick={() => setLimit(limit + STEP)}>
            {t.scan.showMore(Math.min(STEP, rows.length - limit), rows.length)}
          </Button>
        </div>
      )}
    </div>
  );
}

/** The outcomes of each host, a page at a time. */
function HostPlans({ scan }: { scan: Scan }) {
  const [page, setPage] = useState(1);
  const hosts = useQuery(resultsQuery(scan.id, { page, page_size: HOSTS_A_PAGE }));
  if (hosts.isError) return <ErrorState error={hosts.error} retry={() => void hosts.refetch()} />;
  if (!hosts.data) return <SkeletonLines />;
  return (
    <>
      <PlainTable
        label={t.scan.planByHost}
        rows={hosts.data.data}
        id={(host) => host.asset}
        columns={[
          { title: t.scan.host, cell: (host) => host.asset },
          ...OUTCOMES.map((outcome) => ({
            title: t.verdict[outcome] ?? outcome,
            cell: (host: HostResult) => t.number(host.outcomes[COUNT[outcome]]),
          })),
        ]}
      />
      <Pages page={page} pages={hosts.data.total_pages} go={setPage} />
    </>
  );
}

const key = (verdict: VerdictRecord) => `${verdict.asset} ${verdict.check_id} ${verdict.location}`;
