/** Background jobs by kind: how much waits and since when, how much runs, how much failed. */
import { useQueries, useQuery } from "@tanstack/react-query";
import { systemQuery } from "../../api/queries";
import { queuePartQuery } from "../../api/queues";
import { Link } from "../../components/Link";
import { Ago } from "../../components/marks";
import { Panel } from "../../components/Panel";
import { PlainTable } from "../../components/PlainTable";
import { ErrorState } from "../../components/states";
import { type Queue, type QueueState, queues, type Totals, toAsk } from "../../lib/queues";
import { t } from "../../strings";

const words = t.queues;
const SECONDS = 10;
/** Every kind of job there is; those of a newer server are counted as other. */
const KINDS = Object.keys(t.system.list.kinds);

const nameOf = (queue: Queue) => (queue.kind === null ? words.other : (t.system.list.kinds[queue.kind] ?? queue.kind));

function Count({ queue, status, tone }: { queue: Queue; status: QueueState; tone?: string }) {
  const count = queue.counts[status];
  if (count === null) return <span className="muted">…</span>;
  if (count === 0) return <span className="muted">0</span>;
  if (queue.kind === null) return <span className={tone}>{t.number(count)}</span>;
  const state = (t.system.list.status[status] ?? status).toLowerCase();
  return (
    <Link
      to="/settings/system"
      search={{ kind: queue.kind, status }}
      hash="jobs"
      className={`inline ${tone ?? ""}`}
      label={words.show(count, state, nameOf(queue))}
    >
      {t.number(count)}
    </Link>
  );
}

function Oldest({ queue }: { queue: Queue }) {
  if (!queue.oldest) return <span className="muted">–</span>;
  const { addedAt, dueAt } = queue.oldest;
  return (
    <>
      <Ago at={addedAt} />
      {Date.parse(dueAt) > Date.now() && (
        <span className="muted nowrap">
          {words.due}
          <Ago at={dueAt} />
        </span>
      )}
    </>
  );
}

export function Queues() {
  const system = useQuery({ ...systemQuery, refetchInterval: SECONDS * 1000 });
  const jobs = system.data?.jobs;
  const totals: Totals | undefined = jobs && { queued: jobs.waiting, running: jobs.running, failed: jobs.failed };
  const parts = useQueries({
    queries: toAsk(KINDS, totals).map(({ kind, status }) => ({
      ...queuePartQuery(kind, status),
      refetchInterval: SECONDS * 1000,
    })),
  });
  return (
    <Panel title={words.title} text={words.text}>
      {!totals && system.isError ? (
        <ErrorState error={system.error} retry={() => void system.refetch()} />
      ) : (
        <PlainTable
          label={words.label}
          rows={queues(
            KINDS,
            totals,
            parts.flatMap((part) => part.data ?? []),
          )}
          id={(queue) => queue.kind ?? ""}
          columns={[
            { title: words.columns.kind, cell: nameOf },
            { title: words.columns.waiting, cell: (queue) => <Count queue={queue} status="queued" /> },
            { title: words.columns.running, wide: true, cell: (queue) => <Count queue={queue} status="running" /> },
            { title: words.columns.failed, cell: (queue) => <Count queue={queue} status="failed" tone="st-fail" /> },
            { title: words.columns.oldest, wide: true, cell: (queue) => <Oldest queue={queue} /> },
          ]}
        />
      )}
    </Panel>
  );
}
