/** What a form needs to know about a cron expression before the server has read it. */

/** Whether both days are restricted, so that it matters how they combine. */
export function restrictsBothDays(cron: string): boolean {
  const [, , day, , weekday] = cron.trim().split(/\s+/);
  const restricted = (field: string | undefined) => field !== undefined && !field.startsWith("*") && field !== "?";
  return restricted(day) && restricted(weekday);
}

/** Five fields; nothing is said about what is in them. */
export function isWhole(cron: string): boolean {
  return cron.trim().split(/\s+/).filter(Boolean).length === 5;
}
