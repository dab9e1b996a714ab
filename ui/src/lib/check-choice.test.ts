import { describe, expect, it } from "vitest";
import { choose, covers, groupsOf, running } from "./check-choice";

const CHECKS = ["tls.v10", "tls.v11", "hsts.missing", "tls.dh.weak"].map((id) => ({ id }));
const [hsts, tls] = groupsOf(CHECKS) as [ReturnType<typeof groupsOf>[0], ReturnType<typeof groupsOf>[0]];

describe("choice of checks", () => {
  it("groups by the first part of the id", () => {
    expect([hsts.pattern, tls.pattern]).toEqual(["hsts.*", "tls.*"]);
    expect(tls.checks.map(({ id }) => id)).toEqual(["tls.dh.weak", "tls.v10", "tls.v11"]);
  });
  it("writes a whole group as the group, and takes it apart again", () => {
    const two = choose(choose([], tls, ["tls.v11"], true), tls, ["tls.v10"], true);
    expect(two).toEqual(["tls.v10", "tls.v11"]);
    const all = choose(two, tls, ["tls.dh.weak"], true);
    expect(all).toEqual(["tls.*"]);
    expect(choose(all, tls, ["tls.v10"], false)).toEqual(["tls.dh.weak", "tls.v11"]);
    expect(choose(["hsts.missing", ...all], tls, ["tls.dh.weak", "tls.v10", "tls.v11"], false)).toEqual([
      "hsts.missing",
    ]);
  });
  it("does not take a name for a group it begins like", () => {
    expect(covers(["tls.*"], "tlsx.v1")).toBe(false);
    expect(covers(["tls.v1"], "tls.v10")).toBe(false);
  });
  it("runs what is chosen, or all, without what is skipped", () => {
    const ids = (only: string[], skip: string[]) => running(CHECKS, only, skip).map(({ id }) => id);
    expect(ids([], [])).toHaveLength(4);
    expect(ids(["tls.*"], ["tls.v10"])).toEqual(["tls.v11", "tls.dh.weak"]);
    expect(ids(["hsts.missing"], ["hsts.*"])).toEqual([]);
  });
});
