/** One's own open sessions. */

import { useQuery } from "@tanstack/react-query";
import { deleteOtherSessions, deleteSession, sessionsQuery } from "../../api/queries";
import { useDo } from "../../app/do";
import { Button } from "../../components/Button";
import { useConfirmed } from "../../components/confirmed";
import { Ago } from "../../components/marks";
import { Panel } from "../../components/Panel";
import { PlainTable } from "../../components/PlainTable";
import { QueryState } from "../../components/QueryState";
import { clientName } from "../../lib/client-name";
import { t } from "../../strings";

function nameOf(agent: string): string {
  const name = clientName(agent);
  if (!name) return t.sessions.unknown;
  return name.system ? t.sessions.on(name.client, name.system) : name.client;
}

export function Sessions() {
  const sessions = useQuery(sessionsQuery);
  const end = useDo(deleteSession, () => t.sessions.ended, [sessionsQuery.queryKey]);
  const [askOthers, dialog] = useConfirmed(
    deleteOtherSessions,
    () => ({
      title: t.sessions.endOthersTitle,
      text: t.sessions.endOthersText,
      yes: t.sessions.endOthers,
      done: t.sessions.othersEnded,
    }),
    [sessionsQuery.queryKey],
  );
  return (
    <Panel
      title={t.sessions.title}
      text={t.sessions.text}
      aside={
        (sessions.data?.length ?? 0) > 1 && (
          <Button size="compact-sm" variant="default" onClick={() => askOthers(true)}>
            {t.sessions.endOthers}
          </Button>
        )
      }
    >
      <QueryState query={sessions}>
        {(list) => (
          <PlainTable
            label={t.sessions.label}
            rows={list}
            id={(session) => session.id}
            columns={[
              {
                title: t.sessions.client,
                cell: (session) => (
                  <span title={session.user_agent}>
                    {nameOf(session.user_agent)} {session.current && <span className="tag">{t.sessions.here}</span>}
                  </span>
                ),
              },
              {
                title: t.sessions.address,
                wide: true,
                cell: (session) => <span className="mono small nowrap">{session.ip}</span>,
              },
              { title: t.sessions.opened, wide: true, cell: (session) => <Ago at={session.created_at} /> },
              { title: t.sessions.used, cell: (session) => <Ago at={session.last_used_at} /> },
              {
                title: t.sessions.end,
                quiet: true,
                cell: (session) =>
                  !session.current && (
                    <Button
                      size="compact-sm"
                      variant="default"
                      aria-label={t.sessions.endOf(nameOf(session.user_agent))}
                      disabled={end.isPending}
                      onClick={() => end.mutate(session.id)}
                    >
                      {t.sessions.end}
                    </Button>
                  ),
              },
            ]}
          />
        )}
      </QueryState>
      {dialog}
    </Panel>
  );
}
