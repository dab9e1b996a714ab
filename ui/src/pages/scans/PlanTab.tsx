/** What was planned, what gave an answer, and why the rest did not: the honesty behind the score. */
import { Button } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useMemo, useState } from "react";
import type { OutcomeCounts, Scan, VerdictRecord } from "../../api/model";
import { verdictsQuery } from "../../api/queries";
import { VerdictMark } from "../../components/marks";
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

export function PlanTab({ scan }: { scan: Scan }) {
  const [shown, setShown] = useState<(typeof OUTCOMES)[number] | "all">("all");
  const [text, setText] = useState("");
  const [limit, setLimit] = useState(STEP);
  const final = isFinal(scan.status);
  const verdicts = useQuery({ ...verdictsQuery(scan.id), enabled: final });
  const counts = scan.outcomes;

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
      {!final && <State title={t.scan.planLater} text={t.scan.planLaterText} />}
      {verdicts.isError && <ErrorState error={verdicts.error} retry={() => void verdicts.refetch()} />}
      {final && verdicts.isPending && <SkeletonLines />}
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

const key = (verdict: VerdictRecord) => `${verdict.asset} ${verdict.check_id} ${verdict.location}`;
