/** Runs: every scan, running ones with their progress in the row. */

import { useQuery } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { Pause, Play } from "lucide-react";
import { useCallback, useState } from "react";
import { may, SCAN_STATUSES, type Scan } from "../api/model";
import { meQuery, progressQuery, scansQuery } from "../api/queries";
import { SCANS } from "../app/places";
import { Button } from "../components/Button";
import { Link } from "../components/Link";
import { Ago, DemoMark, ScanStatusMark, Score, SeverityCountsMark } from "../components/marks";
import { Section } from "../components/Section";
import { DataTable } from "../components/table/DataTable";
import { listQuery, useTableState } from "../components/table/state";
import type { Column, Filter } from "../components/table/types";
import { between } from "../lib/time";
import type { SortKey } from "../lib/url-state";
import { t } from "../strings";
import { Meter } from "./Overview";
import { isFinal } from "./scans/live";

const FILTERS: readonly Filter[] = [
  {
    name: "status",
    label: t.scans.columns.status,
    options: SCAN_STATUSES.map((value) => ({ value, label: t.scanStatus[value] ?? value })),
    button: true,
  },
  {
    name: "scan_type",
    label: t.scans.columns.profile,
    options: ["quick", "full", "custom"].map((value) => ({ value, label: t.newScan.profiles[value] ?? value })),
    button: true,
  },
  { name: "asset_id", label: t.findings.columns.asset },
];
const KNOWN = FILTERS.map((filter) => filter.name);
const SORT: SortKey = { id: "id", desc: true };
const SECONDS = 5;

const COLUMNS: readonly Column<Scan>[] = [
  {
    id: "id",
    title: t.scans.columns.id,
    sort: "id",
    descFirst: true,
    fixed: true,
    width: 110,
    cell: (scan) => (
      <span className="nowrap">
        <Link to={`/scans/${scan.id}`} className="cell-idlink">
          #{scan.id}
        </Link>{" "}
        <DemoMark on={scan.demo} />
      </span>
    ),
  },
  {
    id: "profile",
    title: t.scans.columns.profile,
    sort: "scan_type",
    cell: (scan) => t.newScan.profiles[scan.scan_type] ?? scan.scan_type,
  },
  {
    id: "targets",
    title: t.scans.columns.targets,
    cell: (scan) => (
      <span className="clip" title={scan.targets.join(", ")}>
        {scan.targets.slice(0, 2).join(", ")}
        {scan.targets.length > 2 && <span className="muted"> {t.common.more(scan.targets.length - 2)}</span>}
      </span>
    ),
  },
  {
    id: "status",
    title: t.scans.columns.status,
    sort: "status",
    width: 210,
    cell: (scan) => <Status scan={scan} />,
  },
  { id: "findings", title: t.scans.columns.findings, cell: (scan) => <SeverityCountsMark counts={scan.findings} /> },
  {
    id: "score",
    title: t.scans.columns.score,
    sort: "score",
    numeric: true,
    cell: (scan) => <Score value={scan.score} />,
  },
  { id: "by", title: t.scans.columns.by, cell: (scan) => scan.started_by.username },
  {
    id: "started",
    title: t.scans.columns.started,
    sort: "created_at",
    descFirst: true,
    cell: (scan) => <Ago at={scan.started_at ?? scan.created_at} />,
  },
  {
    id: "elapsed",
    title: t.scans.columns.elapsed,
    numeric: true,
    cell: (scan) =>
      scan.started_at ? (
        <span className="nowrap">{between(scan.started_at, scan.finished_at)}</span>
      ) : (
        <span className="muted">–</span>
      ),
  },
];

function Status({ scan }: { scan: Scan }) {
  const running = scan.status === "running";
  const progress = useQuery({
    ...progressQuery(scan.id),
    enabled: running,
    refetchInterval: running ? SECONDS * 1000 : false,
  });
  const at = progress.data;
  if (!running || !at) return <ScanStatusMark value={scan.status} partial={scan.partial} />;
  const total = at.checks_total || at.hosts_total;
  const done = at.checks_total ? at.checks_finished : at.hosts_finished;
  return (
    <span style={{ display: "grid", gap: 3, minWidth: 160 }}>
      <span style={{ display: "flex", justifyContent: "space-between", gap: 8 }}>
        <ScanStatusMark value={scan.status} />
        <span className="small muted nowrap">
          {at.checks_total ? t.scans.checks(done, total) : t.scans.hosts(done, total)}
        </span>
      </span>
      {total > 0 && <Meter value={done / total} label={t.scan.title(scan.id)} />}
    </span>
  );
}

const idOf = (scan: Scan) => String(scan.id);
const labelOf = (scan: Scan) => t.scan.title(scan.id);

export function Scans() {
  const navigate = useNavigate();
  const me = useQuery(meQuery);
  const [state, setState] = useTableState(KNOWN);
  const [paused, setPaused] = useState(false);
  const scans = useQuery({
    ...scansQuery(listQuery(state, SORT)),
    // Only while something runs is there anything to refresh.
    refetchInterval: (query) =>
      !paused && query.state.data?.data.some((scan) => !isFinal(scan.status)) ? SECONDS * 1000 : false,
  });
  const running = scans.data?.data.some((scan) => !isFinal(scan.status)) ?? false;
  const open = useCallback((scan: Scan) => void navigate({ to: `/scans/${scan.id}` as never }), [navigate]);
  const run = may(me.data, "scans.run");

  return (
    <Section
      title={t.scans.title}
      label={t.schedules.sections}
      places={SCANS}
      actions={run && <Button onClick={() => void navigate({ to: "/scans/new" as never })}>{t.scans.new}</Button>}
    >
      <DataTable
        name="scans"
        label={t.scans.title}
        columns={COLUMNS}
        filters={FILTERS}
        query={scans}
        state={state}
        onState={setState}
        defaultSort={SORT}
        id={idOf}
        rowLabel={labelOf}
        noun={[t.scans.one, t.scans.many]}
        onOpen={open}
        tools={
          (running || paused) && (
            <button
              type="button"
              className="filterbtn"
              aria-pressed={paused}
              aria-label={`${paused ? t.scans.refreshPaused : t.scans.refreshEvery(SECONDS)}, ${paused ? t.scans.refreshResume : t.scans.refreshPause}`}
              onClick={() => setPaused(!paused)}
            >
              {paused ? <Play aria-hidden /> : <Pause aria-hidden />}
              {paused ? t.scans.refreshPaused : t.scans.refreshEvery(SECONDS)}
            </button>
          )
        }
        empty={{
          title: t.scans.empty,
          text: t.scans.emptyText,
          action: run ? (
            <Button onClick={() => void navigate({ to: "/scans/new" as never })}>{t.scans.new}</Button>
          ) : undefined,
        }}
      />
    </Section>
  );
}
