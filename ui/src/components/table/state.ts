/** Ties a table's state to the address of the page, and to what it asks the server. */
import { useNavigate, useSearch } from "@tanstack/react-router";
import { useCallback, useMemo } from "react";
import { formatState, parseState, type Search, type SortKey, type TableState } from "../../lib/url-state";

export function useTableState(
  known: readonly string[],
  keep: readonly string[] = [],
): [TableState, (change: Partial<TableState>, options?: { replace?: boolean }) => void] {
  const search = useSearch({ strict: false }) as Search;
  const navigate = useNavigate();
  const state = useMemo(() => parseState(search, known), [search, known]);
  const change = useCallback(
    (part: Partial<TableState>, options?: { replace?: boolean }) => {
      const kept = Object.fromEntries(keep.map((name) => [name, search[name]]).filter(([, value]) => value));
      // What changes the result starts again at its first page.
      const page = "filters" in part || "q" in part || "sort" in part || "pageSize" in part ? { page: 1 } : {};
      void navigate({
        to: ".",
        search: formatState({ ...state, ...page, ...part }, kept),
        replace: options?.replace ?? false,
        resetScroll: false,
      } as never);
    },
    [navigate, search, state, keep],
  );
  return [state, change];
}

/** The row that stands open beside its table, by the address: to open one, to leave it, to go to its neighbour. */
export function useOpenRow<Row extends { id: string }>(
  rows: readonly Row[],
  [{ open: id }, setState]: ReturnType<typeof useTableState>,
): { open: (row: Row) => void; close: () => void; move: (step: 1 | -1) => void } {
  // From one row to the next is one step back, not as many as there were rows.
  const open = useCallback((row: Row) => setState({ open: row.id }, { replace: id !== null }), [setState, id]);
  const close = () => setState({ open: null });
  const move = (step: 1 | -1) => {
    const next = rows[rows.findIndex((row) => row.id === id) + step];
    if (next) open(next);
  };
  return { open, close, move };
}

export interface ListQuery {
  page: number;
  page_size: number;
  sort?: string;
  sort_dir?: "asc" | "desc";
  search?: string;
  [filter: string]: string | number | undefined;
}

/** The query of the list: the API sorts by one column, so the first key counts. */
export function listQuery(state: TableState, fallback?: SortKey): ListQuery {
  const sort = state.sort[0] ?? fallback;
  const query: ListQuery = { page: state.page, page_size: state.pageSize };
  if (sort) {
    query.sort = sort.id;
    query.sort_dir = sort.desc ? "desc" : "asc";
  }
  if (state.q) query.search = state.q;
  for (const [name, values] of Object.entries(state.filters)) query[name] = values.join(",");
  return query;
}
