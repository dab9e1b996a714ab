import { describe, expect, it } from "vitest";
import { dayRange } from "./day-range";

describe("dayRange", () => {
  it("covers the whole of both days", () => {
    const { date_from, date_to } = dayRange("2026-03-28", "2026-03-29");
    const start = new Date(date_from ?? "");
    const end = new Date(date_to ?? "");
    expect([start.getFullYear(), start.getMonth(), start.getDate(), start.getHours()]).toEqual([2026, 2, 28, 0]);
    expect([end.getDate(), end.getHours(), end.getMinutes(), end.getSeconds()]).toEqual([29, 23, 59, 59]);
  });

  it("leaves out what is no day", () => {
    expect(dayRange(undefined, "yesterday")).toEqual({});
  });
});
