/** Days of the reader's zone (`2026-11-22`) as the instants between which they lie. What is no day is left out. */
export function dayRange(
  from: string | undefined,
  until: string | undefined,
): { date_from?: string; date_to?: string } {
  const start = instant(from, 0);
  const end = instant(until, 1);
  return { ...(start ? { date_from: start } : {}), ...(end ? { date_to: end } : {}) };
}

function instant(day: string | undefined, days: number): string | null {
  const match = /^(\d{4})-(\d{2})-(\d{2})$/.exec(day ?? "");
  if (!match) return null;
  // The day after, less a moment, also where a day has 23 or 25 hours.
  const time = new Date(Number(match[1]), Number(match[2]) - 1, Number(match[3]) + days).getTime() - days;
  return Number.isNaN(time) ? null : new Date(time).toISOString();
}
