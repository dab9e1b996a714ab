/** Members of the organisation: found by name, role and state, and opened beside the list. */
import { NativeSelect } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import { type Book, changePlace, peopleQuery } from "../../api/people";
import { useDo } from "../../app/do";
import { Button } from "../../components/Button";
import { Ago } from "../../components/marks";
import { DataTable } from "../../components/table/DataTable";
import { listQuery, useOpenRow, type useTableState } from "../../components/table/state";
import type { Column, Filter } from "../../components/table/types";
import { type Person, verdicts } from "../../lib/people";
import { roleName, roleOptions } from "../../lib/role-name";
import type { SortKey } from "../../lib/url-state";
import { t } from "../../strings";
import { MemberDrawer } from "./MemberDrawer";
import { type Reader, useGivenRoles, useRoles } from "./parts";

const words = t.people;
export const KNOWN = ["role", "is_active"];
const SORT: SortKey = { id: "username", desc: false };

const idOf = (person: Person) => person.id;
const labelOf = (person: Person) => person.username;

export function Members({
  reader,
  book,
  table,
}: {
  reader: Reader;
  book: Book;
  table: ReturnType<typeof useTableState>;
}) {
  const [state, setState] = table;
  const roles = useRoles();
  const given = useGivenRoles();
  // The list has one order, by name.
  const { sort: _one, ...asked } = listQuery(state, SORT);
  const members = useQuery(peopleQuery(book, asked));
  const rows = members.data?.data ?? [];
  const { mutate: give, isPending: giving } = useDo(
    ({ id, role }: { id: string; role: string }) => changePlace(book, id, { role }),
    () => t.team.saved,
    [["members"], ["roles"]],
  );
  const { open, close, move } = useOpenRow(rows, table);
  const filters = useMemo<readonly Filter[]>(
    () => [
      { name: "role", label: t.team.columns.role, options: roleOptions(roles), button: true, single: true },
      {
        name: "is_active",
        label: words.state,
        options: [
          { value: "true", label: words.active },
          { value: "false", label: words.deactivated },
        ],
        button: true,
        single: true,
      },
    ],
    [roles],
  );
  const columns = useMemo<readonly Column<Person>[]>(
    () => [
      {
        id: "name",
        title: t.team.columns.name,
        sort: "username",
        fixed: true,
        cell: (person) => (
          <>
            <span className="titled">
              <span className="cell-title">{person.username}</span>
              {person.id === reader.id && <span className="tag">{t.team.you}</span>}
              {!person.active && <span className="tag">{t.team.inactive}</span>}
            </span>
            <div className="small muted">{person.email}</div>
          </>
        ),
      },
      {
        id: "role",
        title: t.team.columns.role,
        fixed: true,
        width: 190,
        cell: (person) =>
          verdicts(person, reader, roles).role === "yes" ? (
            <NativeSelect
              size="xs"
              miw={132}
              aria-label={words.roleOf(person.username)}
              data={given}
              value={person.role}
              disabled={giving}
              onChange={(event) => give({ id: person.id, role: event.target.value })}
            />
          ) : (
            roleName(person.role)
          ),
      },
      {
        id: "provider",
        title: t.settings.signsIn,
        wide: true,
        cell: (person) => t.settings.providers[person.provider] ?? person.provider,
      },
      {
        id: "seen",
        title: t.team.columns.seen,
        cell: (person) => <Ago at={person.lastLogin} otherwise={t.common.never} />,
      },
      {
        id: "manage",
        title: words.manage,
        fixed: true,
        quiet: true,
        wide: true,
        cell: (person) => (
          <Button
            size="compact-sm"
            variant="default"
            aria-label={words.manageOf(person.username)}
            onClick={() => open(person)}
          >
            {words.manage}
          </Button>
        ),
      },
    ],
    [reader, roles, given, giving, give, open],
  );
  return (
    <section aria-label={t.team.label}>
      <h2>{t.team.label}</h2>
      <p className="muted" style={{ marginBottom: 12 }}>
        {t.team.text}
      </p>
      <DataTable
        name="members"
        label={t.team.label}
        columns={columns}
        filters={filters}
        query={members}
        state={state}
        onState={setState}
        defaultSort={SORT}
        id={idOf}
        rowLabel={labelOf}
        noun={[words.one, words.many]}
        onOpen={open}
        empty={{ title: words.empty, text: words.emptyText }}
      />
      {state.open && <MemberDrawer id={state.open} reader={reader} book={book} onClose={close} onMove={move} />}
    </section>
  );
}
