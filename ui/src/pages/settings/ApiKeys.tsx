/** One's own API keys. A new key is shown once. */
import { NativeSelect, TextInput } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { fieldProblem } from "../../api/errors";
import { may } from "../../api/model";
import { apiKeysQuery, createApiKey, deleteApiKey, meQuery } from "../../api/queries";
import { toast } from "../../app/toasts";
import { KeyEnds, KeyMay, KeyPrefix, KeyUsed, RevokeKey } from "../../components/ApiKeyCells";
import { Button } from "../../components/Button";
import { CopyBox } from "../../components/Copy";
import { useConfirmed } from "../../components/confirmed";
import { Panel } from "../../components/Panel";
import { PlainTable } from "../../components/PlainTable";
import { QueryState } from "../../components/QueryState";
import { t } from "../../strings";

type Width = "all" | "read" | "scan";
const EXPIRY = ["never", "30", "90", "365"];
const SCANNING = ["scans.run", "scans.cancel"];
const DAY = 86_400_000;

/** What a key is narrowed to; null for everything its owner may do. */
function narrowed(width: Width, mine: readonly string[]): string[] | null {
  if (width === "all") return null;
  return mine.filter(
    (permission) => permission.endsWith(".view") || (width === "scan" && SCANNING.includes(permission)),
  );
}

export function ApiKeys() {
  const client = useQueryClient();
  const me = useQuery(meQuery);
  const keys = useQuery(apiKeysQuery);
  const [name, setName] = useState("");
  const [days, setDays] = useState("90");
  const [width, setWidth] = useState<Width>("all");
  const create = useMutation({
    mutationFn: () =>
      createApiKey({
        name,
        expires_at: days === "never" ? null : new Date(Date.now() + Number(days) * DAY).toISOString(),
        permissions: narrowed(width, me.data?.permissions ?? []),
      }),
    onSuccess: () => setName(""),
    onError: (error) => {
      if (!fieldProblem(error, "name")) toast.error(error);
    },
    onSettled: () => client.invalidateQueries({ queryKey: apiKeysQuery.queryKey }),
  });
  const [askRevoke, dialog] = useConfirmed(
    (key: { id: string; name: string }) => deleteApiKey(key.id),
    (key) => ({
      title: t.keys.revokeTitle(key.name),
      text: t.keys.revokeText,
      yes: t.keys.revoke,
      done: t.keys.revoked(key.name),
    }),
    [apiKeysQuery.queryKey],
  );
  return (
    <Panel title={t.keys.title} text={t.keys.text}>
      <form
        className="formrow"
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
          error={fieldProblem(create.error, "name")}
          onChange={(event) => setName(event.target.value)}
        />
        <NativeSelect
          label={t.keys.may}
          data={[
            { value: "all", label: t.keys.mayAll },
            { value: "read", label: t.keys.mayRead },
            ...(may(me.data, "scans.run") ? [{ value: "scan", label: t.keys.mayScan }] : []),
          ]}
          value={width}
          onChange={(event) => setWidth(event.target.value as Width)}
        />
        <NativeSelect
          label={t.keys.expires}
          data={EXPIRY.map((value) => ({ value, label: t.keys.expiry[value] ?? value }))}
          value={days}
          onChange={(event) => setDays(event.target.value)}
        />
        <Button type="submit" disabled={!me.data} loading={create.isPending}>
          {t.keys.create}
        </Button>
      </form>
      {create.data && (
        <div role="status">
          <CopyBox label={t.keys.once} text={create.data.key} wrap />
        </div>
      )}
      <QueryState query={keys}>
        {(list) =>
          list.length === 0 ? (
            <p className="muted">{t.keys.none}</p>
          ) : (
            <PlainTable
              label={t.keys.label}
              rows={list}
              id={(key) => key.id}
              columns={[
                { title: t.keys.columns.name, cell: (key) => key.name },
                { title: t.keys.columns.prefix, wide: true, cell: (key) => <KeyPrefix of={key} /> },
                { title: t.keys.columns.may, wide: true, cell: (key) => <KeyMay of={key} all={t.keys.mayAll} /> },
                { title: t.keys.columns.ends, cell: (key) => <KeyEnds of={key} /> },
                { title: t.keys.columns.used, wide: true, cell: (key) => <KeyUsed of={key} /> },
                { title: t.keys.revoke, quiet: true, cell: (key) => <RevokeKey of={key} ask={askRevoke} /> },
              ]}
            />
          )
        }
      </QueryState>
      {dialog}
    </Panel>
  );
}
