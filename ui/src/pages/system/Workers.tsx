/** The processes that run background work, and whether they are alive. */
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { workersQuery } from "../../api/queries";
import { Ago } from "../../components/marks";
import { Pages } from "../../components/Pages";
import { Panel } from "../../components/Panel";
import { PlainTable } from "../../components/PlainTable";
import { QueryState } from "../../components/QueryState";
import { t } from "../../strings";

const words = t.system.workers;
const SECONDS = 10;

export function Workers() {
  const [page, setPage] = useState(1);
  const workers = useQuery({ ...workersQuery(page), refetchInterval: SECONDS * 1000 });
  return (
    <Panel title={words.title} text={words.text}>
      <QueryState query={workers}>
        {(list) =>
          list.total === 0 ? (
            <p className="muted">{words.none}</p>
          ) : (
            <>
              <PlainTable
                label={words.title}
                rows={list.data}
                id={(worker) => worker.id}
                columns={[
                  {
                    title: words.columns.state,
                    cell: (worker) => (
                      <span className={`st ${worker.alive ? "st-pass" : "st-fail"}`}>
                        <i aria-hidden>{worker.alive ? "✓" : "✕"}</i>
                        {worker.alive ? words.alive : words.lost}
                      </span>
                    ),
                  },
                  {
                    title: words.columns.host,
                    cell: (worker) => (
                      <span title={worker.id}>
                        {worker.host} <span className="muted nowrap">{words.process(worker.process_id)}</span>
                      </span>
                    ),
                  },
                  { title: words.columns.kind, wide: true, cell: (worker) => words.kinds[worker.kind] ?? worker.kind },
                  {
                    title: words.columns.jobs,
                    cell: (worker) => <span className="nowrap">{t.common.of(worker.running_jobs, worker.slots)}</span>,
                  },
                  {
                    title: words.columns.seen,
                    wide: true,
                    cell: (worker) => <Ago at={worker.last_heartbeat_at} />,
                  },
                  {
                    title: words.columns.started,
                    wide: true,
                    cell: (worker) => <Ago at={worker.started_at} />,
                  },
                  {
                    title: words.columns.version,
                    wide: true,
                    cell: (worker) => <span className="mono small">{worker.version}</span>,
                  },
                ]}
              />
              <Pages page={page} pages={list.total_pages} go={setPage} />
            </>
          )
        }
      </QueryState>
    </Panel>
  );
}
