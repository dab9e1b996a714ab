/**
 * A choice of checks as the API takes it: ids, and groups such as `tls.*`. A whole group is written as the group, so
 * that a check which joins it later is in it.
 */

export interface CheckGroup<Check extends { id: string } = { id: string }> {
  /** `tls.*` */
  pattern: string;
  checks: Check[];
}

/** Checks by the first part of their id, both in order. */
export function groupsOf<Check extends { id: string }>(checks: readonly Check[]): CheckGroup<Check>[] {
  const groups = new Map<string, Check[]>();
  for (const check of [...checks].sort((a, b) => a.id.localeCompare(b.id))) {
    const pattern = `${check.id.split(".")[0]}.*`;
    groups.set(pattern, [...(groups.get(pattern) ?? []), check]);
  }
  return [...groups].map(([pattern, members]) => ({ pattern, checks: members }));
}

/** Whether a choice names a check, by its id or its group. */
export function covers(choice: readonly string[], id: string): boolean {
  return choice.some((entry) => (entry.endsWith("*") ? id.startsWith(entry.slice(0, -1)) : entry === id));
}

/** The choice with checks of one group put in or taken out. */
export function choose(choice: readonly string[], group: CheckGroup, ids: readonly string[], on: boolean): string[] {
  const members = group.checks.map((check) => check.id);
  const chosen = members.filter((id) => (ids.includes(id) ? on : covers(choice, id)));
  const others = choice.filter((entry) => entry !== group.pattern && !members.includes(entry));
  return [...others, ...(chosen.length === members.length ? [group.pattern] : chosen)].sort();
}

/** Checks that run: those chosen, or all, without those skipped. */
export function running<Check extends { id: string }>(
  checks: readonly Check[],
  only: readonly string[],
  skip: readonly string[],
): Check[] {
  return checks.filter(({ id }) => (only.length === 0 || covers(only, id)) && !covers(skip, id));
}
