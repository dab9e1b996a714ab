/**
 * The one table. The server filters, sorts and pages; the address holds what was asked; this component shows the
 * answer in its four states, and gives every list the same selection, keys, columns and density.
 *
 * A page provides columns, filters, a query and what a row is called. See `pages/Findings.tsx` for a full use.
 */
import { Menu } from "@mantine/core";
import type { UseQueryResult } from "@tanstack/react-query";
import { columnVisibilityFeature, tableFeatures, useTable } from "@tanstack/react-table";
import { ArrowDown, ArrowUp, ChevronLeft, ChevronRight, Columns3, Rows3 } from "lucide-react";
import { type KeyboardEvent, type MouseEvent, type ReactNode, useEffect, useMemo, useRef, useState } from "react";
import type { List } from "../../api/model";
import { useActions } from "../../app/actions";
import { MENU } from "../../app/menu";
import { count, isSelected, NOTHING, pageState, range, type Selection, setRows } from "../../lib/selection";
import { useStored } from "../../lib/stored";
import { PAGE_SIZES, type SortKey, type TableState, toggleSort } from "../../lib/url-state";
import { t } from "../../strings";
import { ErrorState, State } from "../states";
import { FilterBar } from "./FilterBar";
import type { Column, Filter } from "./types";

interface Props<Row> {
  /** Names the stored preferences. */
  name: string;
  /** Read out as the table's name. */
  label: string;
  columns: readonly Column<Row>[];
  filters: readonly Filter[];
  query: UseQueryResult<List<Row>>;
  state: TableState;
  onState: (change: Partial<TableState>, options?: { replace?: boolean }) => void;
  /** The order when none is chosen, shown in the header. */
  defaultSort?: SortKey;
  id: (row: Row) => string;
  rowLabel: (row: Row) => string;
  noun: readonly [string, string];
  onOpen?: (row: Row) => void;
  empty: { title: string; text: string; action?: ReactNode };
  selection?: Selection;
  onSelection?: (selection: Selection) => void;
  /** Shown in the floating bar while something is selected. */
  bulk?: ReactNode;
  /** Stands in the place of the typed query, for lists that the server cannot search by free text. */
  lead?: ReactNode;
  /** More buttons at the right of the filters. */
  tools?: ReactNode;
  /** Row-wise actions the page adds, bound to the cursor row. */
  onRowKey?: { id: string; key: string; title: string; run: (row: Row) => void }[];
}

const features = tableFeatures({ columnVisibilityFeature });
const EMPTY: never[] = [];

export function DataTable<Row extends object>(props: Props<Row>) {
  const { columns, query, state, onState, id } = props;
  const rows = query.data?.data ?? (EMPTY as Row[]);
  const ids = useMemo(() => rows.map(id), [rows, id]);
  const selection = props.selection ?? NOTHING;
  const body = useRef<HTMLTableSectionElement>(null);
  const [cursor, setCursor] = useState<string | null>(null);
  const [anchor, setAnchor] = useState<string | null>(null);
  const [density, setDensity] = useStored<"comfortable" | "compact">("bartizan.density", "comfortable");
  const [hidden, setHidden] = useStored<Record<string, boolean>>(
    `bartizan.columns.${props.name}`,
    Object.fromEntries(columns.filter((column) => column.extra).map((column) => [column.id, false])),
  );

  const definitions = useMemo(
    () => columns.map((column) => ({ id: column.id, header: column.title, enableHiding: !column.fixed })),
    [columns],
  );
  const table = useTable({
    features,
    columns: definitions,
    data: rows,
    getRowId: (row: Row) => id(row),
    state: { columnVisibility: hidden },
    onColumnVisibilityChange: (updater) => setHidden(typeof updater === "function" ? updater(hidden) : updater),
  });
  const visible = table
    .getVisibleLeafColumns()
    .map((leaf) => columns.find((column) => column.id === leaf.id))
    .filter((column) => column !== undefined)
    .filter((column) => !(column.wide && state.open));

  const at = cursor ? ids.indexOf(cursor) : -1;

  const focusRow = (index: number) => {
    const next = ids[Math.max(0, Math.min(index, ids.length - 1))];
    if (!next) return;
    setCursor(next);
    const element = body.current?.querySelector<HTMLElement>(`[data-row="${CSS.escape(next)}"]`);
    element?.focus({ preventScroll: true });
    element?.scrollIntoView({ block: "nearest" });
    // With an open drawer the keys walk through the rows in it.
    const row = rows[ids.indexOf(next)];
    if (state.open && row && props.onOpen) props.onOpen(row);
  };

  const select = (rowIds: readonly string[], on: boolean) => props.onSelection?.(setRows(selection, rowIds, on, ids));

  const cursorRow = () => rows[at];
  useActions([
    { id: "down", title: t.actions.down, keys: ["j"], section: "table", run: () => focusRow(at + 1) },
    { id: "up", title: t.actions.up, keys: ["k"], section: "table", run: () => focusRow(at < 0 ? 0 : at - 1) },
    ...(props.onSelection
      ? [
          {
            id: "select",
            title: t.actions.select,
            keys: ["x"],
            section: "table" as const,
            run: () => cursor && at >= 0 && select([cursor], !isSelected(selection, cursor)),
          },
        ]
      : []),
    ...(props.onOpen
      ? [
          {
            id: "open",
            title: t.actions.open,
            keys: ["o", "Enter"],
            section: "table" as const,
            run: () => {
              const row = cursorRow();
              if (row) props.onOpen?.(row);
            },
          },
        ]
      : []),
    ...(props.onRowKey ?? []).map((entry) => ({
      id: entry.id,
      title: entry.title,
      keys: [entry.key],
      section: "table" as const,
      run: () => {
        const row = cursorRow();
        if (row) entry.run(row);
      },
    })),
    {
      id: "close",
      title: t.actions.close,
      keys: ["Esc"],
      section: "table",
      run: () => (count(selection) > 0 ? props.onSelection?.(NOTHING) : undefined),
    },
  ]);

  // The row the drawer belonged to gets focus back when the drawer closes.
  const wasOpen = useRef<string | null>(null);
  useEffect(() => {
    if (wasOpen.current && !state.open) {
      setCursor(wasOpen.current);
      body.current?.querySelector<HTMLElement>(`[data-row="${CSS.escape(wasOpen.current)}"]`)?.focus();
    }
    wasOpen.current = state.open;
    if (state.open) setCursor(state.open);
  }, [state.open]);

  const onRowClick = (event: MouseEvent, row: Row, index: number) => {
    if ((event.target as HTMLElement).closest("a,button,input,label,select")) return;
    if (getSelection()?.toString()) return;
    if (event.shiftKey && props.onSelection) {
      const from = anchor ? ids.indexOf(anchor) : index;
      select(range(ids, from < 0 ? index : from, index), true);
      return;
    }
    setCursor(id(row));
    props.onOpen?.(row);
  };

  const onRowKeyDown = (event: KeyboardEvent, index: number) => {
    if (event.target !== event.currentTarget) return;
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      focusRow(index + (event.key === "ArrowDown" ? 1 : -1));
    }
  };

  const filtered = Object.keys(state.filters).length > 0 || state.q !== "";
  const sort = state.sort[0] ?? props.defaultSort;
  const total = query.data?.total ?? 0;
  const pages = query.data?.total_pages ?? 1;
  const span = visible.length + (props.onSelection ? 1 : 0);
  const picked = pageState(selection, ids);

  return (
    <div>
      <FilterBar filters={props.filters} lead={props.lead} state={state} onState={onState}>
        {props.tools}
        <span className="tabletools">
          <button
            type="button"
            className="iconbtn"
            aria-pressed={density === "compact"}
            aria-label={t.table.density}
            title={t.table.density}
            onClick={() => setDensity(density === "compact" ? "comfortable" : "compact")}
          >
            <Rows3 aria-hidden />
          </button>
          <Menu {...MENU} closeOnItemClick={false}>
            <Menu.Target>
              <button type="button" className="iconbtn" aria-label={t.table.columns} title={t.table.columns}>
                <Columns3 aria-hidden />
              </button>
            </Menu.Target>
            <Menu.Dropdown>
              {table
                .getAllLeafColumns()
                .filter((leaf) => leaf.getCanHide())
                .map((leaf) => (
                  <Menu.CheckboxItem
                    key={leaf.id}
                    checked={leaf.getIsVisible()}
                    onChange={() => leaf.toggleVisibility()}
                  >
                    {columns.find((column) => column.id === leaf.id)?.title}
                  </Menu.CheckboxItem>
                ))}
            </Menu.Dropdown>
          </Menu>
        </span>
      </FilterBar>

      <div className="tablewrap sticky">
        <table className="data" data-density={density} aria-label={props.label} aria-busy={query.isFetching}>
          <thead>
            <tr>
              {props.onSelection && (
                <th className="pick" scope="col">
                  <label>
                    <input
                      type="checkbox"
                      aria-label={t.table.pickPage}
                      checked={picked === "all" && ids.length > 0}
                      disabled={ids.length === 0}
                      ref={(element) => {
                        if (element) element.indeterminate = picked === "some";
                      }}
                      onChange={(event) => select(ids, event.target.checked)}
                    />
                  </label>
                </th>
              )}
              {visible.map((column) => {
                const active = column.sort !== undefined && sort?.id === column.sort;
                return (
                  <th
                    key={column.id}
                    scope="col"
                    className={column.numeric ? "num" : undefined}
                    style={column.width ? { width: column.width } : undefined}
                    aria-sort={column.sort ? (active ? (sort?.desc ? "descending" : "ascending") : "none") : undefined}
                  >
                    {column.sort ? (
                      <button
                        type="button"
                        onClick={() => {
                          const current = state.sort[0] ? state.sort : sort ? [sort] : [];
                          onState({ sort: toggleSort(current, column.sort as string, false, column.descFirst) });
                        }}
                      >
                        {column.title}
                        {active && (sort?.desc ? <ArrowDown aria-hidden /> : <ArrowUp aria-hidden />)}
                      </button>
                    ) : column.quiet ? (
                      <span className="sr">{column.title}</span>
                    ) : (
                      column.title
                    )}
                  </th>
                );
              })}
            </tr>
          </thead>
          <tbody ref={body}>
            {query.isPending && <SkeletonRows span={span} />}
            {query.isError && !query.data && (
              <tr>
                <td colSpan={span}>
                  <ErrorState error={query.error} retry={() => void query.refetch()} />
                </td>
              </tr>
            )}
            {query.data && rows.length === 0 && (
              <tr>
                <td colSpan={span}>
                  {filtered || state.page > 1 ? (
                    <State title={t.table.noMatch} text={t.table.noMatchText}>
                      <button
                        type="button"
                        className="filterbtn"
                        onClick={() => onState({ filters: {}, q: "", page: 1 })}
                      >
                        {t.common.clear}
                      </button>
                    </State>
                  ) : (
                    <State title={props.empty.title} text={props.empty.text}>
                      {props.empty.action}
                    </State>
                  )}
                </td>
              </tr>
            )}
            {rows.map((row, index) => {
              const rowId = ids[index] as string;
              const chosen = props.onSelection ? isSelected(selection, rowId) : false;
              return (
                <tr
                  key={rowId}
                  data-row={rowId}
                  data-open={props.onOpen ? "" : undefined}
                  data-selected={chosen}
                  data-active={state.open === rowId}
                  data-cursor={cursor === rowId}
                  tabIndex={cursor === rowId || (at < 0 && index === 0) ? 0 : -1}
                  onFocus={(event) => event.target === event.currentTarget && setCursor(rowId)}
                  onClick={(event) => onRowClick(event, row, index)}
                  onKeyDown={(event) => onRowKeyDown(event, index)}
                >
                  {props.onSelection && (
                    <td className="pick">
                      <label>
                        <input
                          type="checkbox"
                          tabIndex={-1}
                          aria-label={t.table.pick(props.rowLabel(row))}
                          checked={chosen}
                          onClick={(event) => {
                            const from = anchor ? ids.indexOf(anchor) : -1;
                            if (event.shiftKey && from >= 0) select(range(ids, from, index), !chosen);
                            else select([rowId], !chosen);
                            setAnchor(rowId);
                          }}
                          onChange={() => undefined}
                        />
                      </label>
                    </td>
                  )}
                  {visible.map((column) => (
                    <td key={column.id} className={column.numeric ? "num" : column.quiet ? "rowactions" : undefined}>
                      {column.cell(row)}
                    </td>
                  ))}
                </tr>
              );
            })}
          </tbody>
        </table>
      </div>

      {query.isError && query.data && <ErrorState error={query.error} retry={() => void query.refetch()} />}

      <div className="tablefoot">
        <span role="status">
          {query.data && t.table.total(total, props.noun[0], props.noun[1])}
          {sort && query.data && <span className="sr">{sortText(columns, sort)}</span>}
        </span>
        <span className="grow" />
        {pages > 1 && (
          <span className="pager">
            <button
              type="button"
              className="iconbtn"
              aria-label={t.table.previous}
              disabled={state.page <= 1}
              onClick={() => onState({ page: state.page - 1 })}
            >
              <ChevronLeft aria-hidden />
            </button>
            {t.table.page(state.page, pages)}
            <button
              type="button"
              className="iconbtn"
              aria-label={t.table.next}
              disabled={state.page >= pages}
              onClick={() => onState({ page: state.page + 1 })}
            >
              <ChevronRight aria-hidden />
            </button>
          </span>
        )}
        {total > 25 && (
          <label>
            <span className="sr">{t.table.size}</span>
            <select
              className="filterbtn"
              value={state.pageSize}
              onChange={(event) => onState({ pageSize: Number(event.target.value) })}
            >
              {PAGE_SIZES.map((size) => (
                <option key={size} value={size}>
                  {size}
                </option>
              ))}
            </select>
          </label>
        )}
      </div>

      {props.onSelection && count(selection) > 0 && (
        <section className="bulkbar" aria-label={t.table.selected(count(selection))}>
          <span role="status">
            {selection.kind === "matching" ? t.table.matching(selection.total) : t.table.selected(count(selection))}
          </span>
          {selection.kind === "rows" && picked === "all" && total > ids.length && (
            <button type="button" className="linkbtn" onClick={() => props.onSelection?.({ kind: "matching", total })}>
              {t.table.selectMatching(total)}
            </button>
          )}
          {props.bulk}
          <button type="button" className="linkbtn" onClick={() => props.onSelection?.(NOTHING)}>
            {t.table.clearSelection}
          </button>
        </section>
      )}
    </div>
  );
}

function sortText<Row>(columns: readonly Column<Row>[], sort: SortKey): string {
  const title = columns.find((column) => column.sort === sort.id)?.title;
  return title ? `. ${t.table.sorted(title, sort.desc)}` : "";
}

const WIDTHS = [70, 88, 54, 76, 62, 80, 48, 66];

function SkeletonRows({ span }: { span: number }) {
  return Array.from({ length: 8 }, (_, row) => (
    // biome-ignore lint/suspicious/noArrayIndexKey: placeholder rows are all alike
    <tr key={row}>
      {Array.from({ length: span }, (_, cell) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: placeholder cells are all alike
        <td key={cell}>
          <span className="skel" style={{ width: `${WIDTHS[(row + cell) % WIDTHS.length]}%` }} />
        </td>
      ))}
    </tr>
  ));
}
