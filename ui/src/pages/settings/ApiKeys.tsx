/** One's own API keys. A new key is shown once. */
import { Button, TextInput } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { apiKeysQuery, createApiKey, deleteApiKey } from "../../api/queries";
import { toast } from "../../app/toasts";
import { Confirm } from "../../components/Confirm";
import { CopyBox } from "../../components/Copy";
import { Ago } from "../../components/marks";
import { ErrorState } from "../../components/states";
import { t } from "../../strings";

export function ApiKeys() {
  const client = useQueryClient();
  const keys = useQuery(apiKeysQuery);
  const [name, setName] = useState("");
  const [revoking, setRevoking] = useState<{ id: string; name: string } | null>(null);
  const refresh = () => client.invalidateQueries({ queryKey: apiKeysQuery.queryKey });
  const create = useMutation({
    mutationFn: () => createApiKey(name),
    onSuccess: () => setName(""),
    onError: toast.error,
    onSettled: refresh,
  });
  const revoke = useMutation({
    mutationFn: deleteApiKey,
    onError: toast.error,
    onSettled: () => {
      setRevoking(null);
      void refresh();
    },
  });
  return (
    <section className="panel" aria-labelledby="keys">
      <header>
        <h2 id="keys">{t.keys.title}</h2>
      </header>
      <div className="body stack">
        <p className="muted">{t.keys.text}</p>
        <form
          className="form"
          onSubmit={(event) => {
            event.preventDefault();
            create.mutate();
          }}
        >
          <TextInput
            label={t.keys.name}
            required
            withAsterisk={false}
            maxLength={100}
            value={name}
            onChange={(event) => setName(event.target.value)}
          />
          <div>
            <Button type="submit" variant="default" loading={create.isPending}>
              {t.keys.create}
            </Button>
          </div>
        </form>
        {create.data && <CopyBox label={t.keys.once} text={create.data.key} wrap />}
        {keys.isError && <ErrorState error={keys.error} retry={() => void keys.refetch()} />}
        {keys.data?.total === 0 && <p className="muted">{t.keys.none}</p>}
        {keys.data && keys.data.total > 0 && (
          <table className="data plain" aria-label={t.keys.label}>
            <thead>
              <tr>
                <th scope="col">{t.keys.columns.name}</th>
                <th scope="col">{t.keys.columns.prefix}</th>
                <th scope="col">{t.keys.columns.made}</th>
                <th scope="col">{t.keys.columns.used}</th>
                <th scope="col">
                  <span className="sr">{t.keys.revoke}</span>
                </th>
              </tr>
            </thead>
            <tbody>
              {keys.data.data.map((key) => (
                <tr key={key.id}>
                  <td>{key.name}</td>
                  <td className="mono small">{key.prefix}…</td>
                  <td>
                    <Ago at={key.created_at} />
                  </td>
                  <td>
                    <Ago at={key.last_used_at} otherwise={t.common.never} />
                  </td>
                  <td>
                    <Button size="compact-sm" variant="default" onClick={() => setRevoking(key)}>
                      {t.keys.revoke}
                    </Button>
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        )}
      </div>
      {revoking && (
        <Confirm
          title={t.keys.revokeTitle(revoking.name)}
          text={t.keys.revokeText}
          yes={t.keys.revoke}
          no={t.common.cancel}
          busy={revoke.isPending}
          onYes={() => revoke.mutate(revoking.id)}
          onNo={() => setRevoking(null)}
        />
      )}
    </section>
  );
}
