/** Findings this scan saw; the row opens in Findings, where everything can be done with it. */
import { useQuery } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useCallback } from "react";
import type { FindingSummary, Scan } from "../../api/model";
import { findingsQuery } from "../../api/queries";
import { Link } from "../../components/Link";
import { DataTable } from "../../components/table/DataTable";
import { listQuery, useTableState } from "../../components/table/state";
import { t } from "../../strings";
import { FINDING_COLUMNS, FINDING_FILTERS, FINDING_SORT } from "../Findings";
import { isFinal } from "./live";

const FILTERS = FINDING_FILTERS.filter((filter) => filter.name !== "scan_id");
const KNOWN = FILTERS.map((filter) => filter.name);
const KEEP = ["tab"];
const idOf = (finding: FindingSummary) => finding.id;
const labelOf = (finding: FindingSummary) => `${finding.title}, ${finding.asset}`;

export function FindingsTab({ scan }: { scan: Scan }) {
  const navigate = useNavigate();
  const [state, setState] = useTableState(KNOWN, KEEP);
  const findings = useQuery({
    ...findingsQuery({ ...listQuery(state, FINDING_SORT), scan_id: scan.id }),
    refetchInterval: isFinal(scan.status) ? false : 5_000,
  });
  const open = useCallback(
    (finding: FindingSummary) =>
      void navigate({
        to: "/findings" as never,
        search: { scan_id: String(scan.id), open: finding.id } as never,
      }),
    [navigate, scan.id],
  );
  return (
    <DataTable
      name="scan-findings"
      label={t.scan.tabs.findings ?? ""}
      columns={FINDING_COLUMNS}
      filters={FILTERS}
      query={findings}
      state={{ ...state, open: null }}
      onState={setState}
      defaultSort={FINDING_SORT}
      id={idOf}
      rowLabel={labelOf}
      noun={[t.findings.one, t.findings.many]}
      onOpen={open}
      tools={
        <Link to="/findings" search={{ scan_id: String(scan.id) }}>
          {t.scan.findingsLink}
        </Link>
      }
      empty={{ title: t.scan.noFindings, text: t.scan.noFindingsText }}
    />
  );
}
