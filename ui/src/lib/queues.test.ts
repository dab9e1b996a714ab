import { describe, expect, it } from "vitest";
import { type Part, queues, toAsk } from "./queues";

const KINDS = ["scan", "mail"];
const NONE = { queued: 0, running: 0, failed: 0 };
const OLD = { addedAt: "2026-11-22T08:00:00Z", dueAt: "2026-11-22T08:00:00Z" };
const part = (kind: string, status: Part["status"], count: number, oldest: Part["oldest"] = null): Part => ({
  kind,
  status,
  count,
  oldest,
});

describe("what is asked", () => {
  it("is nothing before the totals are known, and nothing of states without jobs", () => {
    expect(toAsk(KINDS, undefined)).toEqual([]);
    expect(toAsk(KINDS, NONE)).toEqual([]);
    expect(toAsk(KINDS, { ...NONE, failed: 3 })).toEqual([
      { kind: "scan", status: "failed" },
      { kind: "mail", status: "failed" },
    ]);
  });
});

describe("queues by kind", () => {
  it("stand there before anything is counted", () => {
    const open = { queued: null, running: null, failed: null };
    expect(queues(KINDS, undefined, [])).toEqual(KINDS.map((kind) => ({ kind, counts: open, oldest: null })));
  });

  it("are empty, not unknown, where there is no job at all", () => {
    expect(queues(KINDS, NONE, []).map((row) => row.counts)).toEqual([NONE, NONE]);
  });

  it("take counts and the oldest waiting job from what was answered", () => {
    const totals = { queued: 4, running: 1, failed: 0 };
    const answered = [
      part("scan", "queued", 3, OLD),
      part("mail", "queued", 1),
      part("scan", "running", 1),
      part("mail", "running", 0),
    ];
    expect(queues(KINDS, totals, answered)).toEqual([
      { kind: "scan", counts: { queued: 3, running: 1, failed: 0 }, oldest: OLD },
      { kind: "mail", counts: { queued: 1, running: 0, failed: 0 }, oldest: null },
    ]);
  });

  it("leave open what was not answered, and do not count it as other", () => {
    const [scan, mail, ...rest] = queues(KINDS, { ...NONE, queued: 4 }, [part("scan", "queued", 1)]);
    expect(scan?.counts.queued).toBe(1);
    expect(mail?.counts.queued).toBeNull();
    expect(rest).toEqual([]);
  });

  it("count kinds that are not known here as other", () => {
    const rows = queues(KINDS, { ...NONE, failed: 5 }, [part("scan", "failed", 3), part("mail", "failed", 0)]);
    expect(rows.at(-1)).toEqual({ kind: null, counts: { ...NONE, failed: 2 }, oldest: null });
  });

  it("never count less than none, when jobs ended between two answers", () => {
    const rows = queues(KINDS, { ...NONE, running: 1 }, [part("scan", "running", 2), part("mail", "running", 0)]);
    expect(rows).toHaveLength(2);
  });
});
