import { describe, expect, it } from "vitest";
import type { JobQueue } from "../api/model";
import { allQueues } from "./queues";

const queue = (kind: string, counts: Partial<JobQueue> = {}): JobQueue => ({
  kind,
  waiting: 0,
  running: 0,
  failed: 0,
  waiting_since: null,
  next_due_at: null,
  ...counts,
});

describe("queues by kind", () => {
  it("stand there without a job, in the order of the page", () => {
    expect(allQueues(["scan", "mail"], [])).toEqual([queue("scan"), queue("mail")]);
    const mail = queue("mail", { waiting: 2, waiting_since: "2026-11-22T08:00:00Z" });
    expect(allQueues(["scan", "mail"], [mail])).toEqual([queue("scan"), mail]);
  });

  it("of a kind that is not known here come last", () => {
    const [report, scan] = [queue("report", { failed: 1 }), queue("scan", { running: 1 })];
    expect(allQueues(["scan", "mail"], [report, scan])).toEqual([scan, queue("mail"), report]);
  });
});
