/**
 * State of a table in the address: what is filtered, sorted, paged and open. A list is what its URL says and
 * nothing else, so Back, reload, bookmarks and links from other pages all work.
 *
 * Shape: `?severity=critical,high&status=open&q=text&sort=-severity,asset&page=2&open=<id>`.
 */

export interface TableState {
  /** Filter name to chosen values; never an empty list. */
  filters: Record<string, string[]>;
  /** Free text. */
  q: string;
  sort: SortKey[];
  /** From 1. */
  page: number;
  pageSize: number;
  /** Id of the row whose drawer is open. */
  open: string | null;
}

export interface SortKey {
  id: string;
  desc: boolean;
}

export type Search = Record<string, string | undefined>;

export const PAGE_SIZE = 50;
export const PAGE_SIZES = [25, 50, 100, 200];

const OWN = new Set(["q", "sort", "page", "size", "open"]);

/** Reads the address. Unknown filters and broken numbers are dropped, so that an old link still shows a page. */
export function parseState(search: Search, known: readonly string[]): TableState {
  const filters: Record<string, string[]> = {};
  for (const name of known) {
    const values = split(search[name]);
    if (values.length > 0) filters[name] = values;
  }
  return {
    filters,
    q: search.q?.trim() ?? "",
    sort: parseSort(search.sort),
    page: positive(search.page, 1),
    pageSize: PAGE_SIZES.includes(positive(search.size, PAGE_SIZE)) ? positive(search.size, PAGE_SIZE) : PAGE_SIZE,
    open: search.open || null,
  };
}

/** Writes the address; what is at its default is left out. `keep` are parameters that belong to the page. */
export function formatState(state: TableState, keep: Search = {}): Search {
  const search: Search = { ...keep };
  for (const [name, values] of Object.entries(state.filters)) {
    if (!OWN.has(name) && values.length > 0) search[name] = values.join(",");
  }
  if (state.q) search.q = state.q;
  if (state.sort.length > 0) search.sort = formatSort(state.sort);
  if (state.page > 1) search.page = String(state.page);
  if (state.pageSize !== PAGE_SIZE) search.size = String(state.pageSize);
  if (state.open) search.open = state.open;
  return search;
}

export function parseSort(text: string | undefined): SortKey[] {
  return split(text).map((part) =>
    part.startsWith("-") ? { id: part.slice(1), desc: true } : { id: part, desc: false },
  );
}

export function formatSort(sort: readonly SortKey[]): string {
  return sort.map((key) => (key.desc ? `-${key.id}` : key.id)).join(",");
}

/** A click on a header: ascending or the column's first direction, then the other, then off. `add` keeps other keys. */
export function toggleSort(sort: readonly SortKey[], id: string, add: boolean, firstDesc = false): SortKey[] {
  const at = sort.findIndex((key) => key.id === id);
  const present = sort[at];
  const next = !present ? { id, desc: firstDesc } : present.desc === firstDesc ? { id, desc: !firstDesc } : null;
  if (!add) return next ? [next] : [];
  const copy = [...sort];
  if (at < 0) copy.push({ id, desc: firstDesc });
  else if (next) copy[at] = next;
  else copy.splice(at, 1);
  return copy;
}

/**
 * A typed query: `severity:critical,high tag:"pci scope" rest of the text`. Known names become filters (added to
 * those given before), all else is free text.
 */
export function parseQuery(text: string, known: readonly string[]): { filters: Record<string, string[]>; q: string } {
  const filters: Record<string, string[]> = {};
  const rest: string[] = [];
  for (const token of text.match(/[^\s"]*"[^"]*"|\S+/g) ?? []) {
    const colon = token.indexOf(":");
    const name = colon > 0 ? token.slice(0, colon).toLowerCase() : "";
    const value = token.slice(colon + 1).replaceAll('"', "");
    if (known.includes(name) && value) {
      filters[name] = [...new Set([...(filters[name] ?? []), ...split(value)])];
    } else {
      rest.push(token);
    }
  }
  return { filters, q: rest.join(" ") };
}

function split(text: string | undefined): string[] {
  return [
    ...new Set(
      (text ?? "")
        .split(",")
        .map((part) => part.trim())
        .filter(Boolean),
    ),
  ];
}

function positive(text: string | undefined, otherwise: number): number {
  const number = Number(text);
  return Number.isInteger(number) && number > 0 ? number : otherwise;
}
