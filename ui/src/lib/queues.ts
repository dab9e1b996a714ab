/** Background jobs by kind: a table of counts out of what was asked, and what the asked kinds leave over. */

export type QueueState = "queued" | "running" | "failed";
export const QUEUE_STATES: readonly QueueState[] = ["queued", "running", "failed"];

/** Jobs of one kind in one state. */
export interface Part {
  kind: string;
  status: QueueState;
  count: number;
  /** The one added first. */
  oldest: { addedAt: string; dueAt: string } | null;
}

export interface Queue {
  /** Null for the jobs of kinds that this page does not know. */
  kind: string | null;
  /** Null: not known yet. */
  counts: Record<QueueState, number | null>;
  oldest: Part["oldest"];
}

/** Jobs of all kinds by state, as `GET /api/system/status` counts them. */
export type Totals = Record<QueueState, number>;

/** What has to be asked: no kind has a job in a state that has none. */
export function toAsk(kinds: readonly string[], totals: Totals | undefined): { kind: string; status: QueueState }[] {
  if (!totals) return [];
  return kinds.flatMap((kind) =>
    QUEUE_STATES.filter((status) => totals[status] > 0).map((status) => ({ kind, status })),
  );
}

/** The rows of the table. A row for other kinds stands there only if every kind was counted and something is left. */
export function queues(kinds: readonly string[], totals: Totals | undefined, parts: readonly Part[]): Queue[] {
  if (!totals) {
    return kinds.map((kind) => ({ kind, counts: { queued: null, running: null, failed: null }, oldest: null }));
  }
  const rows = kinds.map((kind): Queue => {
    const of = (status: QueueState) => parts.find((part) => part.kind === kind && part.status === status);
    const count = (status: QueueState) => (totals[status] === 0 ? 0 : (of(status)?.count ?? null));
    return {
      kind,
      counts: { queued: count("queued"), running: count("running"), failed: count("failed") },
      oldest: totals.queued === 0 ? null : (of("queued")?.oldest ?? null),
    };
  });
  const left = (status: QueueState): number => {
    const known = rows.map((row) => row.counts[status]);
    // The total is a moment older or younger than the counts: less than none is none.
    return known.includes(null)
      ? 0
      : Math.max(0, totals[status] - known.reduce<number>((sum, at) => sum + (at ?? 0), 0));
  };
  const rest = { queued: left("queued"), running: left("running"), failed: left("failed") };
  const any = rest.queued + rest.running + rest.failed > 0;
  return any ? [...rows, { kind: null, counts: rest, oldest: null }] : rows;
}
