import { describe, expect, it } from "vitest";
import { isWhole, restrictsBothDays } from "./cron";

describe("cron", () => {
  it.each([
    ["0 2 * * *", false],
    ["0 2 1 * *", false],
    ["0 2 * * 1", false],
    ["0 2 1 * 1", true],
    ["0 2 */2 * 1", false],
    ["0 2 1-7 * MON", true],
    ["", false],
  ])("%s restricts both days: %s", (cron, both) => {
    expect(restrictsBothDays(cron)).toBe(both);
  });

  it("waits for all five fields", () => {
    expect(isWhole("0 2 * *")).toBe(false);
    expect(isWhole("  0 2  * * 1 ")).toBe(true);
  });
});
