/** Findings: the shared table in full use. Copy this page for the next list. */

import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useMemo, useState } from "react";
import { CATEGORIES, FINDING_STATUSES, type FindingSummary, may, SEVERITIES } from "../api/model";
import { changeFindings, findingsQuery, meQuery, type StatusChange } from "../api/queries";
import { useActions } from "../app/actions";
import { toast } from "../app/toasts";
import { Button } from "../components/Button";
import { Dialog } from "../components/Dialog";
import { Link } from "../components/Link";
import { Ago, DemoMark, FindingStatusMark, SeverityMark } from "../components/marks";
import { DataTable } from "../components/table/DataTable";
import { listQuery, useOpenRow, useTableState } from "../components/table/state";
import type { Column, Filter } from "../components/table/types";
import { count, NOTHING, type Selection } from "../lib/selection";
import type { SortKey } from "../lib/url-state";
import { t } from "../strings";
import { FindingDrawer } from "./findings/FindingDrawer";
import { Controls } from "./findings/parts";
import { StatusForm } from "./findings/StatusForm";

const options = (values: readonly string[], words: Record<string, string>) =>
  values.map((value) => ({ value, label: words[value] ?? value }));

export const FINDING_FILTERS: readonly Filter[] = [
  { name: "severity", label: t.findings.columns.severity, options: options(SEVERITIES, t.severity), button: true },
  { name: "status", label: t.findings.columns.status, options: options(FINDING_STATUSES, t.status), button: true },
  { name: "category", label: t.findings.columns.category, options: options(CATEGORIES, t.category), button: true },
  { name: "check_id", label: t.findings.columns.check },
  { name: "asset", label: t.findings.columns.asset },
  { name: "asset_id", label: t.findings.columns.asset },
  { name: "tag", label: t.assets.columns.tags },
  { name: "scan_id", label: t.scans.columns.id },
  { name: "first_seen_from", label: t.findings.columns.firstSince },
  { name: "reopened", label: t.findings.reopened, options: [{ value: "true", label: t.common.yes }] },
];
const KNOWN = FINDING_FILTERS.map((filter) => filter.name);
export const FINDING_SORT: SortKey = { id: "severity", desc: true };

const DAY = 86_400_000;

export const FINDING_COLUMNS: readonly Column<FindingSummary>[] = [
  {
    id: "severity",
    title: t.findings.columns.severity,
    sort: "severity",
    descFirst: true,
    width: 104,
    cell: (finding) => <SeverityMark value={finding.severity} />,
  },
  {
    id: "title",
    title: t.findings.columns.title,
    sort: "title",
    fixed: true,
    width: "38%",
    cell: (finding) => <Title finding={finding} />,
  },
  {
    id: "asset",
    title: t.findings.columns.asset,
    sort: "asset",
    cell: (finding) => (
      <span className="clip" style={{ maxWidth: 220 }} title={finding.asset}>
        {finding.asset}
      </span>
    ),
  },
  {
    id: "location",
    wide: true,
    title: t.findings.columns.location,
    cell: (finding) => (
      <span className="mono small clip" style={{ maxWidth: 150 }} title={finding.location}>
        {finding.location}
      </span>
    ),
  },
  {
    id: "category",
    title: t.findings.columns.category,
    sort: "category",
    wide: true,
    cell: (finding) => t.category[finding.category] ?? finding.category,
  },
  {
    id: "controls",
    title: t.findings.columns.controls,
    wide: true,
    cell: (finding) => <Controls values={finding.controls} limit={1} line />,
  },
  {
    id: "status",
    title: t.findings.columns.status,
    sort: "status",
    cell: (finding) => <FindingStatusMark value={finding.status} />,
  },
  {
    id: "first",
    wide: true,
    title: t.findings.columns.first,
    sort: "first_seen_at",
    descFirst: true,
    cell: (finding) => <Ago at={finding.first_seen_at} />,
  },
  {
    id: "last",
    wide: true,
    extra: true,
    title: t.findings.columns.last,
    sort: "last_seen_at",
    descFirst: true,
    cell: (finding) => <Ago at={finding.last_seen_at} />,
  },
  {
    id: "check",
    title: t.findings.columns.check,
    sort: "check_id",
    extra: true,
    cell: (finding) => <span className="mono small">{finding.check_id}</span>,
  },
  {
    id: "occurrences",
    title: t.findings.columns.occurrences,
    sort: "occurrences",
    descFirst: true,
    numeric: true,
    extra: true,
    cell: (finding) => t.number(finding.occurrences),
  },
];

function Title({ finding }: { finding: FindingSummary }) {
  const navigate = useNavigate();
  const fresh = Date.now() - Date.parse(finding.first_seen_at) < DAY && finding.occurrences <= 1;
  return (
    <span className="titled">
      <Link
        to={`/findings/${finding.id}`}
        className="cell-title"
        onClick={(event) => {
          // A plain click opens the drawer; the middle button and modifiers keep the link's own page.
          if (event.metaKey || event.ctrlKey || event.shiftKey || event.button !== 0) return;
          event.preventDefault();
          void navigate({
            to: ".",
            search: ((old: Record<string, string>) => ({ ...old, open: finding.id })) as never,
            resetScroll: false,
          } as never);
        }}
      >
        {finding.title}
      </Link>
      {finding.reopened > 0 && finding.status === "open" && <span className="tag">{t.findings.reopened}</span>}
      {fresh && finding.reopened === 0 && <span className="tag">{t.findings.isNew}</span>}
      <DemoMark on={finding.demo} />
    </span>
  );
}

/** The most that one bulk request may change. */
const BULK = 500;

export function Findings() {
  const client = useQueryClient();
  const me = useQuery(meQuery);
  const table = useTableState(KNOWN);
  const [state, setState] = table;
  const [selection, setSelection] = useState<Selection>(NOTHING);
  const [bulk, setBulk] = useState(false);
  const asked = listQuery(state, FINDING_SORT);
  const findings = useQuery(findingsQuery(asked));
  const rows = useMemo(() => findings.data?.data ?? [], [findings.data]);
  const triage = may(me.data, "findings.triage");

  const { open, close, move } = useOpenRow(rows, table);

  const change = useMutation({
    mutationFn: async (body: StatusChange) => {
      const ids = selection.kind === "rows" ? [...selection.ids] : await matching(asked, selection.total);
      const before = new Map(rows.map((finding) => [finding.id, finding.status]));
      let updated = 0;
      let refused = 0;
      for (let from = 0; from < ids.length; from += BULK) {
        const answer = await changeFindings({ ...body, finding_ids: ids.slice(from, from + BULK) });
        updated += answer.updated;
        refused += answer.results.filter((result) => result.outcome === "not_found").length;
      }
      return { ids, before, updated, refused, status: body.status };
    },
    onSuccess: (done) => {
      setBulk(false);
      setSelection(NOTHING);
      void client.invalidateQueries({ queryKey: ["findings"] });
      void client.invalidateQueries({ queryKey: ["summary"] });
      if (done.refused > 0) toast.ok(t.findings.changedSome(done.updated, done.refused));
      else toast.ok(t.findings.changed(done.updated, t.status[done.status] ?? done.status));
    },
  });

  useActions(
    triage
      ? [
          {
            id: "status",
            title: t.actions.status,
            keys: ["e"],
            section: "table",
            palette: "act",
            run: () => {
              if (state.open) document.querySelector<HTMLElement>("[data-status-form] select")?.focus();
              else if (count(selection) > 0) setBulk(true);
            },
          },
        ]
      : [],
  );

  return (
    <div className={state.open ? "has-drawer" : undefined}>
      <div className="pagehead">
        <div>
          <h1>{t.findings.title}</h1>
          <p>{t.findings.text}</p>
        </div>
      </div>
      <DataTable
        name="findings"
        label={t.findings.title}
        columns={FINDING_COLUMNS}
        filters={FINDING_FILTERS}
        query={findings}
        state={state}
        onState={setState}
        defaultSort={FINDING_SORT}
        id={idOf}
        rowLabel={labelOf}
        noun={[t.findings.one, t.findings.many]}
        onOpen={open}
        selection={triage ? selection : undefined}
        onSelection={triage ? setSelection : undefined}
        bulk={<Button onClick={() => setBulk(true)}>{t.findings.changeStatus}</Button>}
        empty={{
          title: t.findings.empty,
          text: t.findings.emptyText,
          action: <Link to="/scans/new">{t.scans.new}</Link>,
        }}
      />
      {state.open && <FindingDrawer id={state.open} canTriage={triage} onClose={close} onMove={move} />}
      {bulk && (
        <Dialog title={t.findings.applyMany(count(selection))} onClose={() => setBulk(false)}>
          <StatusForm
            draftKey="bulk"
            submit={t.findings.applyMany(count(selection))}
            busy={change.isPending}
            error={change.error}
            onSubmit={(body) => change.mutate(body)}
            onCancel={() => setBulk(false)}
          />
        </Dialog>
      )}
    </div>
  );
}

const idOf = (finding: FindingSummary) => finding.id;
const labelOf = (finding: FindingSummary) => `${finding.title}, ${finding.asset}`;

/** Ids of everything that matches, page by page, in the order of the table. Stops if the set grew meanwhile. */
async function matching(asked: ReturnType<typeof listQuery>, expected: number): Promise<string[]> {
  const ids: string[] = [];
  for (let page = 1; ids.length < expected; page++) {
    const list = await findingsQuery({ ...asked, page, page_size: BULK }).queryFn?.({
      signal: new AbortController().signal,
    } as never);
    if (!list || list.data.length === 0) break;
    ids.push(...list.data.map((finding) => finding.id));
    if (page >= list.total_pages) break;
  }
  return ids.slice(0, expected);
}
