/**
 * What is ticked in a table. Two different things that must never be mixed up: rows picked one by one (they
 * survive paging), or everything that matches the present filter, which takes a second, explicit step.
 */
export type Selection = { kind: "rows"; ids: ReadonlySet<string> } | { kind: "matching"; total: number };

export const NOTHING: Selection = { kind: "rows", ids: new Set() };

export function isSelected(selection: Selection, id: string): boolean {
  return selection.kind === "matching" || selection.ids.has(id);
}

export function count(selection: Selection): number {
  return selection.kind === "matching" ? selection.total : selection.ids.size;
}

/** Ticks or unticks rows. Unticking out of "all matching" falls back to the rest of the page that is in sight. */
export function setRows(selection: Selection, ids: readonly string[], on: boolean, page: readonly string[]): Selection {
  const base = selection.kind === "matching" ? new Set(page) : new Set(selection.ids);
  for (const id of ids) {
    if (on) base.add(id);
    else base.delete(id);
  }
  return { kind: "rows", ids: base };
}

/** Rows between two positions, both included: a click with Shift. */
export function range(page: readonly string[], from: number, to: number): string[] {
  const [first, last] = from < to ? [from, to] : [to, from];
  return page.slice(Math.max(first, 0), last + 1);
}

export function pageState(selection: Selection, page: readonly string[]): "none" | "some" | "all" {
  const ticked = page.filter((id) => isSelected(selection, id)).length;
  return ticked === 0 ? "none" : ticked === page.length ? "all" : "some";
}
