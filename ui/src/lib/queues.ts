/** Background jobs by kind, as the System page lists them. */
import type { JobQueue } from "../api/model";

/** A row for each kind of `kinds`, with or without jobs, and for those beyond that have some. */
export function allQueues(kinds: readonly string[], counted: readonly JobQueue[]): JobQueue[] {
  const none = { waiting: 0, running: 0, failed: 0, waiting_since: null, next_due_at: null };
  const known = kinds.map((kind) => counted.find((queue) => queue.kind === kind) ?? { kind, ...none });
  return [...known, ...counted.filter((queue) => !kinds.includes(queue.kind))];
}
