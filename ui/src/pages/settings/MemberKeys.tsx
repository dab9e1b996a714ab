/** The API keys of everybody in the organisation, for who manages its members. */
import { useQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import { may } from "../../api/model";
import { type MemberKey, memberKeyQuery, memberKeysQuery } from "../../api/people";
import { deleteApiKey, meQuery } from "../../api/queries";
import { KeyEnds, KeyMay, KeyPrefix, KeyUsed, RevokeKey } from "../../components/ApiKeyCells";
import { Button } from "../../components/Button";
import { useConfirmed } from "../../components/confirmed";
import { Drawer } from "../../components/Drawer";
import { Ago } from "../../components/marks";
import { Permitted } from "../../components/Permitted";
import { SettingsPage } from "../../components/SettingsPage";
import { ErrorState, SkeletonLines } from "../../components/states";
import { DataTable } from "../../components/table/DataTable";
import { listQuery, useOpenRow, useTableState } from "../../components/table/state";
import type { Column } from "../../components/table/types";
import { exact } from "../../lib/time";
import { t } from "../../strings";

const words = t.memberKeys;
const NONE: never[] = [];

const idOf = (key: MemberKey) => key.id;
const labelOf = (key: MemberKey) => key.name;

function columns(me: string | undefined, revoke: (key: MemberKey) => void): readonly Column<MemberKey>[] {
  return [
    {
      id: "name",
      title: t.keys.columns.name,
      fixed: true,
      cell: (key) => (
        <span className="cell-title" style={{ minWidth: 140 }}>
          {key.name}
        </span>
      ),
    },
    {
      id: "owner",
      title: words.owner,
      fixed: true,
      cell: (key) => (
        <>
          {key.owner.username} {key.owner.id === me && <span className="tag">{t.team.you}</span>}
        </>
      ),
    },
    { id: "prefix", title: t.keys.columns.prefix, wide: true, cell: (key) => <KeyPrefix of={key} /> },
    { id: "may", title: t.keys.columns.may, wide: true, cell: (key) => <KeyMay of={key} all={words.mayAll} /> },
    { id: "ends", title: t.keys.columns.ends, cell: (key) => <KeyEnds of={key} /> },
    { id: "used", title: t.keys.columns.used, cell: (key) => <KeyUsed of={key} /> },
    { id: "made", title: words.made, wide: true, extra: true, cell: (key) => <Ago at={key.created_at} /> },
    {
      id: "revoke",
      title: t.keys.revoke,
      fixed: true,
      quiet: true,
      wide: true,
      cell: (key) => <RevokeKey of={key} ask={revoke} />,
    },
  ];
}

export function MemberKeys() {
  const me = useQuery(meQuery).data;
  const allowed = may(me, "members.manage");
  const table = useTableState(NONE);
  const [state, setState] = table;
  const { page, page_size } = listQuery(state);
  const keys = useQuery({ ...memberKeysQuery({ page, page_size }), enabled: allowed });
  const rows = keys.data?.data ?? [];
  const [askRevoke, dialog] = useConfirmed(
    (key: MemberKey) => deleteApiKey(key.id),
    (key) => ({
      title: t.keys.revokeTitle(key.name),
      text: words.revokeText(key.owner.username),
      yes: t.keys.revoke,
      done: t.keys.revoked(key.name),
    }),
    [["api-keys"]],
    () => setState({ open: null }, { replace: true }),
  );
  const shown = useMemo(() => columns(me?.id, askRevoke), [me?.id, askRevoke]);
  const { open, close, move } = useOpenRow(rows, table);
  return (
    <div className={state.open ? "has-drawer" : undefined}>
      <SettingsPage wide>
        <section aria-label={words.label}>
          <h2 className="sr">{words.title}</h2>
          <DataTable
            name="member-keys"
            label={words.label}
            columns={shown}
            filters={NONE}
            lead={<p className="muted">{words.text}</p>}
            query={keys}
            state={state}
            onState={setState}
            id={idOf}
            rowLabel={labelOf}
            noun={[words.one, words.many]}
            onOpen={open}
            empty={{ title: words.empty, text: words.emptyText }}
          />
        </section>
      </SettingsPage>
      {state.open && allowed && (
        <KeyDrawer id={state.open} me={me?.id} onRevoke={askRevoke} onClose={close} onMove={move} />
      )}
      {dialog}
    </div>
  );
}

function KeyDrawer({
  id,
  me,
  onRevoke,
  onClose,
  onMove,
}: {
  id: string;
  me: string | undefined;
  onRevoke: (key: MemberKey) => void;
  onClose: () => void;
  onMove: (step: 1 | -1) => void;
}) {
  const query = useQuery(memberKeyQuery(id));
  const key = query.data;
  return (
    <Drawer
      id={id}
      label={key?.name ?? words.one}
      onClose={onClose}
      onMove={onMove}
      head={
        key ? (
          <>
            <h2>{key.name}</h2>
            <span className="small muted">
              {key.owner.username} {key.owner.id === me && <span className="tag">{t.team.you}</span>}
            </span>
          </>
        ) : null
      }
      footer={
        key ? (
          <div className="actions">
            <Button variant="default" onClick={() => onRevoke(key)}>
              {t.keys.revoke}
            </Button>
          </div>
        ) : undefined
      }
    >
      {query.isError && (
        <ErrorState error={query.error} retry={() => void query.refetch()} title={t.notFound.missing(words.one)} />
      )}
      {!key && !query.isError && <SkeletonLines />}
      {key && (
        <>
          <section>
            <dl className="facts">
              <dt>{t.keys.columns.prefix}</dt>
              <dd className="mono">{key.prefix}…</dd>
              <dt>{words.made}</dt>
              <dd>{exact(key.created_at)}</dd>
              <dt>{t.keys.columns.ends}</dt>
              <dd>
                {key.expires_at ? exact(key.expires_at) : t.common.never}{" "}
                {key.expired && <span className="tag">{t.keys.expired}</span>}
              </dd>
              <dt>{t.keys.columns.used}</dt>
              <dd>{key.last_used_at ? exact(key.last_used_at) : t.common.never}</dd>
              {key.last_used_ip && (
                <>
                  <dt>{words.from}</dt>
                  <dd className="mono">{key.last_used_ip}</dd>
                </>
              )}
              <dt>{t.keys.columns.may}</dt>
              <dd>{key.permissions ? t.keys.mayOf(key.permissions.length) : words.mayAllText}</dd>
            </dl>
          </section>
          {key.permissions && (
            <section>
              <Permitted permissions={key.permissions} />
            </section>
          )}
        </>
      )}
    </Drawer>
  );
}
