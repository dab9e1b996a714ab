/** Background jobs by kind: how much waits and since when, how much runs, how much failed. */
import { useQuery } from "@tanstack/react-query";
import type { JobQueue } from "../../api/model";
import { systemQuery } from "../../api/queries";
import { Link } from "../../components/Link";
import { Ago } from "../../components/marks";
import { Panel } from "../../components/Panel";
import { PlainTable } from "../../components/PlainTable";
import { QueryState } from "../../components/QueryState";
import { allQueues } from "../../lib/queues";
import { t } from "../../strings";

const words = t.queues;
const SECONDS = 10;
const KINDS = Object.keys(t.system.list.kinds);

const nameOf = (queue: JobQueue) => t.system.list.kinds[queue.kind] ?? queue.kind;

/** A number that leads to the jobs it counts. */
function Count({ queue, count, status, tone }: { queue: JobQueue; count: number; status: string; tone?: string }) {
  if (count === 0) return <span className="muted">0</span>;
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

function Oldest({ queue: { waiting_since, next_due_at } }: { queue: JobQueue }) {
  if (!waiting_since) return <span className="muted">–</span>;
  return (
    <>
      <Ago at={waiting_since} />
      {next_due_at && Date.parse(next_due_at) > Date.now() && (
        <span className="muted nowrap">
          {words.due}
          <Ago at={next_due_at} />
        </span>
      )}
    </>
  );
}

export function Queues() {
  const system = useQuery({ ...systemQuery, refetchInterval: SECONDS * 1000 });
  return (
    <Panel title={words.title} text={words.text}>
      <QueryState query={system} lines={3}>
        {({ jobs }) => (
          <PlainTable
            label={words.label}
            rows={allQueues(KINDS, jobs.by_kind)}
            id={(queue) => queue.kind}
            columns={[
              { title: words.columns.kind, cell: nameOf },
              {
                title: words.columns.waiting,
                cell: (queue) => <Count queue={queue} count={queue.waiting} status="queued" />,
              },
              {
                title: words.columns.running,
                wide: true,
                cell: (queue) => <Count queue={queue} count={queue.running} status="running" />,
              },
              {
                title: words.columns.failed,
                cell: (queue) => <Count queue={queue} count={queue.failed} status="failed" tone="st-fail" />,
              },
              { title: words.columns.oldest, wide: true, cell: (queue) => <Oldest queue={queue} /> },
            ]}
          />
        )}
      </QueryState>
    </Panel>
  );
}
