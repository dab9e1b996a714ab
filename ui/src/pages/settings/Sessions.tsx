/** One's own password and open sessions. */
import { Button, PasswordInput } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { ApiError } from "../../api/errors";
import { changePassword, deleteSession, sessionsQuery } from "../../api/queries";
import { toast } from "../../app/toasts";
import { Ago } from "../../components/marks";
import { ErrorState } from "../../components/states";
import { t } from "../../strings";

export function Sessions({ internal }: { internal: boolean }) {
  const client = useQueryClient();
  const sessions = useQuery(sessionsQuery);
  const [current, setCurrent] = useState("");
  const [next, setNext] = useState("");
  const refresh = () => client.invalidateQueries({ queryKey: sessionsQuery.queryKey });
  const change = useMutation({
    mutationFn: () => changePassword(current, next),
    onSuccess: () => {
      setCurrent("");
      setNext("");
      toast.ok(t.sessions.changed);
    },
    onError: (error) => {
      if (!(error instanceof ApiError) || error.fields.length === 0) toast.error(error);
    },
    onSettled: refresh,
  });
  const end = useMutation({
    mutationFn: deleteSession,
    onSuccess: () => toast.ok(t.sessions.ended),
    onError: toast.error,
    onSettled: refresh,
  });
  const problem = (name: string) => (change.error instanceof ApiError ? change.error.field(name) : undefined);
  return (
    <section className="panel" aria-labelledby="sessions">
      <header>
        <h2 id="sessions">{t.sessions.title}</h2>
      </header>
      <div className="body stack">
        {internal && (
          <form
            className="form"
            onSubmit={(event) => {
              event.preventDefault();
              change.mutate();
            }}
          >
            <PasswordInput
              label={t.sessions.current}
              autoComplete="current-password"
              required
              withAsterisk={false}
              value={current}
              error={problem("current_password")}
              onChange={(event) => setCurrent(event.target.value)}
            />
            <PasswordInput
              label={t.sessions.next}
              description={t.setup.passwordHint}
              autoComplete="new-password"
              required
              withAsterisk={false}
              value={next}
              error={problem("new_password")}
              onChange={(event) => setNext(event.target.value)}
            />
            <div>
              <Button type="submit" variant="default" loading={change.isPending}>
                {t.sessions.change}
              </Button>
            </div>
          </form>
        )}
        {sessions.isError && <ErrorState error={sessions.error} retry={() => void sessions.refetch()} />}
        {sessions.data && (
          <table className="data plain" aria-label={t.sessions.label}>
            <thead>
              <tr>
                <th scope="col">{t.sessions.client}</th>
                <th scope="col">{t.sessions.address}</th>
                <th scope="col">{t.sessions.used}</th>
                <th scope="col">
                  <span className="sr">{t.sessions.end}</span>
                </th>
              </tr>
            </thead>
            <tbody>
              {sessions.data.map((session) => (
                <tr key={session.id}>
                  <td>{session.user_agent}</td>
                  <td className="mono small">{session.ip}</td>
                  <td>
                    <Ago at={session.last_used_at} />
                  </td>
                  <td>
                    {session.current ? (
                      <span className="tag">{t.sessions.here}</span>
                    ) : (
                      <Button
                        size="compact-sm"
                        variant="default"
                        disabled={end.isPending}
                        onClick={() => end.mutate(session.id)}
                      >
                        {t.sessions.end}
                      </Button>
                    )}
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        )}
      </div>
    </section>
  );
}
