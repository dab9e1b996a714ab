/** Background jobs: what waits, what runs and how far it is, what became of the rest. */

import { useQuery } from "@tanstack/react-query";
import type { Job } from "../../api/model";
import { cancelJob, jobQuery, jobsQuery, progressQuery, retryJob } from "../../api/queries";
import { useDo } from "../../app/do";
import { Button } from "../../components/Button";
import { useConfirmed } from "../../components/confirmed";
import { Drawer } from "../../components/Drawer";
import { Link } from "../../components/Link";
import { Ago } from "../../components/marks";
import { ErrorState, SkeletonLines } from "../../components/states";
import { DataTable } from "../../components/table/DataTable";
import { listQuery, useOpenRow, useTableState } from "../../components/table/state";
import type { Column, Filter } from "../../components/table/types";
import { between, exact } from "../../lib/time";
import type { SortKey } from "../../lib/url-state";
import { t } from "../../strings";
import { Meter } from "../Overview";

const words = t.system.list;
const SECONDS = 5;
const FILTERS: readonly Filter[] = [
  {
    name: "status",
    label: words.columns.state,
    options: Object.entries(words.status).map(([value, label]) => ({ value, label })),
    button: true,
  },
  {
    name: "kind",
    label: words.columns.kind,
    options: Object.entries(words.kinds).map(([value, label]) => ({ value, label })),
    button: true,
    single: true,
  },
];
const KNOWN = FILTERS.map((filter) => filter.name);
const SORT: SortKey = { id: "created_at", desc: true };

const MARK: Record<string, [glyph: string, tone: string]> = {
  queued: ["◌", ""],
  running: ["▸", "st-running"],
  done: ["✓", "st-pass"],
  failed: ["✕", "st-fail"],
  cancelled: ["–", "st-muted"],
};

const isActive = (job: Job) => job.status === "queued" || job.status === "running";

function JobMark({ job }: { job: Job }) {
  const [glyph, tone] = MARK[job.status] ?? ["", ""];
  return (
    <span className={`st ${tone}`}>
      <i aria-hidden>{glyph}</i>
      {words.status[job.status] ?? job.status}
      {job.cancel_requested && isActive(job) && <span className="tag">{words.stopping}</span>}
    </span>
  );
}

function Name({ job }: { job: Job }) {
  return (
    <>
      {words.kinds[job.kind] ?? job.kind}{" "}
      {job.kind === "scan" && job.subject ? (
        <Link to={`/scans/${job.subject}`} className="inline">
          #{job.subject}
        </Link>
      ) : (
        job.subject &&
        job.subject !== job.kind && (
          <span className="muted small clip" title={job.subject}>
            {job.subject}
          </span>
        )
      )}
    </>
  );
}

/** How far a running scan is; other jobs report nothing that can be divided. */
function ScanMeter({ job }: { job: Job }) {
  const id = Number(job.subject);
  const running = job.kind === "scan" && job.status === "running" && Number.isInteger(id);
  const progress = useQuery({
    ...progressQuery(id),
    enabled: running,
    refetchInterval: running ? SECONDS * 1000 : false,
  });
  const at = progress.data;
  if (!running || !at) return null;
  const total = at.checks_total || at.hosts_total;
  const done = at.checks_total ? at.checks_finished : at.hosts_finished;
  return total > 0 ? <Meter value={done / total} label={t.scan.title(id)} /> : null;
}

const COLUMNS: readonly Column<Job>[] = [
  {
    id: "status",
    title: words.columns.state,
    fixed: true,
    width: 170,
    cell: (job) => (
      <span style={{ display: "grid", gap: 3 }}>
        <JobMark job={job} />
        <ScanMeter job={job} />
      </span>
    ),
  },
  { id: "kind", title: words.columns.kind, fixed: true, cell: (job) => <Name job={job} /> },
  {
    id: "attempts",
    title: words.columns.attempts,
    wide: true,
    cell: (job) => <span className="nowrap">{words.attempts(job.attempts, job.max_attempts)}</span>,
  },
  {
    id: "added",
    title: words.columns.added,
    sort: "created_at",
    descFirst: true,
    cell: (job) => <Ago at={job.created_at} />,
  },
  {
    id: "took",
    title: words.columns.took,
    wide: true,
    cell: (job) =>
      job.started_at ? (
        <span className="nowrap">{between(job.started_at, job.finished_at)}</span>
      ) : (
        <span className="muted">–</span>
      ),
  },
  {
    id: "worker",
    title: words.columns.worker,
    extra: true,
    wide: true,
    cell: (job) => <span className="mono small">{job.worker}</span>,
  },
  {
    id: "error",
    title: words.columns.error,
    wide: true,
    cell: (job) => job.error && <span className="clamp small">{job.error}</span>,
  },
];

const idOf = (job: Job) => job.id;
const labelOf = (job: Job) => `${words.kinds[job.kind] ?? job.kind} ${job.subject ?? ""}`.trim();

export function Jobs({ canManage }: { canManage: boolean }) {
  const table = useTableState(KNOWN);
  const [state, setState] = table;
  // The list has one order, newest first or last, and no free text.
  const { sort: _one, search: _none, ...asked } = listQuery(state, SORT);
  const jobs = useQuery({
    ...jobsQuery(asked),
    refetchInterval: (query) => (query.state.data?.data.some(isActive) ? SECONDS * 1000 : SECONDS * 3000),
  });
  const rows = jobs.data?.data ?? [];
  const { open, close, move } = useOpenRow(rows, table);
  return (
    <section id="jobs" className={state.open ? "has-drawer" : undefined} aria-label={t.system.jobs}>
      <h2 style={{ marginBottom: 8 }}>{t.system.jobs}</h2>
      <DataTable
        name="jobs"
        label={t.system.jobs}
        columns={COLUMNS}
        filters={FILTERS}
        lead={<span hidden />}
        query={jobs}
        state={state}
        onState={setState}
        defaultSort={SORT}
        id={idOf}
        rowLabel={labelOf}
        noun={[words.one, words.many]}
        onOpen={open}
        empty={{ title: words.empty, text: words.emptyText }}
      />
      {state.open && <JobDrawer id={state.open} canManage={canManage} onClose={close} onMove={move} />}
    </section>
  );
}

function JobDrawer({
  id,
  canManage,
  onClose,
  onMove,
}: {
  id: string;
  canManage: boolean;
  onClose: () => void;
  onMove: (step: 1 | -1) => void;
}) {
  const query = useQuery({
    ...jobQuery(id),
    refetchInterval: (asked) => (asked.state.data && isActive(asked.state.data) ? SECONDS * 1000 : false),
  });
  const job = query.data;
  const retry = useDo(
    () => retryJob(id),
    () => words.retried,
    [["jobs"]],
  );
  const [askCancel, dialog] = useConfirmed(
    cancelJob,
    () => ({
      title: words.cancelTitle,
      text: words.cancelText,
      yes: words.cancel,
      done: words.cancelled,
    }),
    [["jobs"], ["scans"]],
  );
  // A scan is launched anew, not run again as the same job.
  const retries = job && (job.status === "failed" || job.status === "cancelled") && job.kind !== "scan";
  return (
    <Drawer
      id={id}
      label={job ? labelOf(job) : words.one}
      onClose={onClose}
      onMove={onMove}
      head={
        job ? (
          <>
            <h2>
              <Name job={job} />
            </h2>
            <JobMark job={job} />
          </>
        ) : null
      }
      footer={
        job && canManage && (isActive(job) || retries) ? (
          <div className="actions">
            {isActive(job) && (
              <Button variant="default" disabled={job.cancel_requested} onClick={() => askCancel(job.id)}>
                {words.cancel}
              </Button>
            )}
            {retries && (
              <Button loading={retry.isPending} onClick={() => retry.mutate()}>
                {words.retry}
              </Button>
            )}
          </div>
        ) : undefined
      }
    >
      {query.isError && (
        <ErrorState error={query.error} retry={() => void query.refetch()} title={t.notFound.missing(words.one)} />
      )}
      {!job && !query.isError && <SkeletonLines />}
      {job && <JobFacts job={job} />}
      {dialog}
    </Drawer>
  );
}

function JobFacts({ job }: { job: Job }) {
  const facts: [string, React.ReactNode][] = [
    [words.columns.attempts, words.attempts(job.attempts, job.max_attempts)],
    [words.columns.added, exact(job.created_at)],
    ...(job.status === "queued" ? [[words.notBefore, exact(job.run_at)] as [string, string]] : []),
    [words.started, job.started_at ? exact(job.started_at) : t.common.never],
    ...(job.finished_at ? [[words.finished, exact(job.finished_at)] as [string, string]] : []),
    ...(job.worker
      ? [
          [
            words.columns.worker,
            <span key="worker" className="mono small">
              {job.worker}
            </span>,
          ] as [string, React.ReactNode],
        ]
      : []),
    ...(job.lease_until ? [[words.lease, exact(job.lease_until)] as [string, string]] : []),
    [words.priority, String(job.priority)],
    [
      words.id,
      <span key="id" className="mono small">
        {job.id}
      </span>,
    ],
  ];
  return (
    <>
      <section>
        <ScanMeter job={job} />
        <dl className="facts" style={{ marginTop: 8 }}>
          {facts.map(([name, value]) => (
            <div key={name} style={{ display: "contents" }}>
              <dt>{name}</dt>
              <dd>{value}</dd>
            </div>
          ))}
        </dl>
      </section>
      {job.error && (
        <section>
          <h3>{words.error}</h3>
          {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a scrollable region must be reachable by keyboard */}
          <pre className="mono small values" tabIndex={0}>
            {job.error}
          </pre>
        </section>
      )}
      {job.progress !== null && job.progress !== undefined && (
        <section>
          <h3>{words.progress}</h3>
          {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a scrollable region must be reachable by keyboard */}
          <pre className="mono small values" tabIndex={0}>
            {JSON.stringify(job.progress, null, 2)}
          </pre>
        </section>
      )}
    </>
  );
}
