/** The audit log: what was done, by whom, and whether the log itself is as it was written. */

import { useQuery } from "@tanstack/react-query";
import { download } from "../../api/client";
import type { AuditEntry } from "../../api/model";
import { may } from "../../api/model";
import { auditChainQuery, auditQuery, meQuery } from "../../api/queries";
import { toast } from "../../app/toasts";
import { Button } from "../../components/Button";
import { Drawer } from "../../components/Drawer";
import { Link } from "../../components/Link";
import { Ago } from "../../components/marks";
import { Notice } from "../../components/Notice";
import { SettingsPage } from "../../components/SettingsPage";
import { DataTable } from "../../components/table/DataTable";
import { listQuery, useOpenRow, useTableState } from "../../components/table/state";
import { TextFilter } from "../../components/table/TextFilter";
import type { Column, Filter } from "../../components/table/types";
import { dayRange } from "../../lib/day-range";
import { exact } from "../../lib/time";
import type { SortKey, TableState } from "../../lib/url-state";
import { t } from "../../strings";
import { actionTitle } from "../../strings/audit-actions";

const FILTERS: readonly Filter[] = [
  { name: "actor", label: t.audit.actor },
  { name: "action", label: t.audit.action },
  { name: "target_type", label: t.audit.targetType },
  { name: "target_id", label: t.audit.targetId },
  { name: "from", label: t.audit.from },
  { name: "until", label: t.audit.until },
];
const KNOWN = FILTERS.map((filter) => filter.name);
const SORT: SortKey = { id: "created_at", desc: true };

/** Who it was: programs and people who are not signed in are said to be that. */
function Actor({ entry }: { entry: AuditEntry }) {
  return (
    <>
      {entry.actor}{" "}
      {entry.actor_kind !== "user" && entry.actor_kind !== entry.actor && (
        <span className="tag">{t.audit.kinds[entry.actor_kind] ?? entry.actor_kind}</span>
      )}
    </>
  );
}

function Target({ entry }: { entry: AuditEntry }) {
  return (
    <span className="mono small nowrap">
      {entry.target_type}{" "}
      {entry.target_type === "scan" ? (
        <Link to={`/scans/${entry.target_id}`} className="inline">
          #{entry.target_id}
        </Link>
      ) : (
        <span className="muted">{entry.target_id}</span>
      )}
    </span>
  );
}

const COLUMNS: readonly Column<AuditEntry>[] = [
  {
    id: "at",
    title: t.audit.columns.at,
    sort: "created_at",
    descFirst: true,
    width: 110,
    cell: (entry) => <Ago at={entry.created_at} />,
  },
  { id: "actor", title: t.audit.columns.actor, cell: (entry) => <Actor entry={entry} /> },
  {
    id: "action",
    title: t.audit.columns.action,
    fixed: true,
    cell: (entry) => (
      <>
        {actionTitle(entry.action)}
        <div className="mono small muted">{entry.action}</div>
      </>
    ),
  },
  { id: "target", title: t.audit.columns.target, wide: true, cell: (entry) => <Target entry={entry} /> },
  {
    id: "ip",
    title: t.audit.columns.ip,
    wide: true,
    cell: (entry) => <span className="mono small nowrap">{entry.ip}</span>,
  },
];

const idOf = (entry: AuditEntry) => entry.id;
const labelOf = (entry: AuditEntry) => t.audit.entryOf(actionTitle(entry.action));

/** Days of the reader become the instants the server asks for. */
function filtersOf(state: TableState): Record<string, string> {
  const { from, until, ...rest } = state.filters;
  return {
    ...Object.fromEntries(Object.entries(rest).map(([name, values]) => [name, values.join(",")])),
    ...dayRange(from?.[0], until?.[0]),
  };
}

export function Audit() {
  const me = useQuery(meQuery);
  const view = may(me.data, "audit.view");
  const table = useTableState(KNOWN);
  const [state, setState] = table;
  const { sort: _one, ...asked } = listQuery({ ...state, q: "", filters: {} }, SORT);
  const entries = useQuery({ ...auditQuery({ ...asked, ...filtersOf(state) }), enabled: view });
  const chain = useQuery({ ...auditChainQuery, enabled: view });
  const rows = entries.data?.data ?? [];
  const { open, close, move } = useOpenRow(rows, table);
  const shown = rows.find((entry) => entry.id === state.open);

  return (
    <div className={shown ? "has-drawer" : undefined}>
      <SettingsPage
        wide
        actions={
          may(me.data, "exports.run") && (
            <Button
              variant="default"
              onClick={() =>
                void download(`/api/audit/export?${new URLSearchParams(filtersOf(state))}`, "audit-log.csv").catch(
                  toast.error,
                )
              }
            >
              {t.audit.export}
            </Button>
          )
        }
      >
        {chain.data &&
          (chain.data.intact ? (
            <Notice kind="ok">{t.audit.intact(chain.data.sealed, chain.data.unsealed)}</Notice>
          ) : (
            <Notice kind="error">
              {t.audit.broken(chain.data.broken_at ?? 0)} {chain.data.reason}
            </Notice>
          ))}
        <DataTable
          name="audit"
          label={t.audit.label}
          columns={COLUMNS}
          filters={FILTERS}
          lead={
            <>
              <TextFilter name="actor" label={t.audit.actor} state={state} onState={setState} />
              <TextFilter
                name="action"
                label={t.audit.action}
                placeholder={t.audit.actionHint}
                state={state}
                onState={setState}
              />
              <TextFilter name="from" label={t.audit.from} type="date" state={state} onState={setState} />
              <TextFilter name="until" label={t.audit.until} type="date" state={state} onState={setState} />
            </>
          }
          query={entries}
          state={state}
          onState={setState}
          defaultSort={SORT}
          id={idOf}
          rowLabel={labelOf}
          noun={[t.audit.one, t.audit.many]}
          onOpen={open}
          empty={{ title: t.audit.empty, text: t.audit.emptyText }}
        />
      </SettingsPage>
      {shown && (
        <Drawer
          id={shown.id}
          label={labelOf(shown)}
          onClose={close}
          onMove={move}
          head={
            <>
              <h2>{actionTitle(shown.action)}</h2>
              <span className="small muted">
                <span className="mono">{shown.action}</span> · {exact(shown.created_at)}
              </span>
            </>
          }
        >
          <Entry entry={shown} />
        </Drawer>
      )}
    </div>
  );
}

function Entry({ entry }: { entry: AuditEntry }) {
  const values: [string, unknown][] = [
    [t.audit.before, entry.old_value],
    [t.audit.after, entry.new_value],
  ];
  const present = values.filter(([, value]) => value !== null && value !== undefined);
  return (
    <>
      <section>
        <dl className="facts">
          <dt>{t.audit.columns.actor}</dt>
          <dd>
            <Actor entry={entry} />
          </dd>
          <dt>{t.audit.columns.target}</dt>
          <dd>
            <Target entry={entry} />
          </dd>
          <dt>{t.audit.columns.ip}</dt>
          <dd className="mono small">{entry.ip ?? t.common.none}</dd>
          <dt>{t.audit.request}</dt>
          <dd className="mono small">{entry.request_id}</dd>
          <dt>{t.audit.position}</dt>
          <dd>{entry.position === null ? t.audit.unsealed : t.number(entry.position)}</dd>
        </dl>
      </section>
      {present.length === 0 && (
        <section>
          <p className="muted">{t.audit.noValues}</p>
        </section>
      )}
      {present.map(([title, value]) => (
        <section key={title}>
          <h3>{title}</h3>
          {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a scrollable region must be reachable by keyboard */}
          <pre className="mono small values" tabIndex={0}>
            {JSON.stringify(value, null, 2)}
          </pre>
        </section>
      ))}
    </>
  );
}
