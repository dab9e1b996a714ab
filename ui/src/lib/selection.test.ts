import { describe, expect, it } from "vitest";
import { count, isSelected, NOTHING, pageState, range, setRows } from "./selection";

const PAGE = ["a", "b", "c", "d"];

describe("selection", () => {
  it("survives paging: rows of another page stay picked", () => {
    const one = setRows(NOTHING, ["a"], true, PAGE);
    const two = setRows(one, ["x"], true, ["x", "y"]);
    expect(count(two)).toBe(2);
    expect(isSelected(two, "a")).toBe(true);
    expect(pageState(two, ["x", "y"])).toBe("some");
  });

  it("never takes all matching by ticking the page", () => {
    const page = setRows(NOTHING, PAGE, true, PAGE);
    expect(page.kind).toBe("rows");
    expect(count(page)).toBe(PAGE.length);
    expect(pageState(page, PAGE)).toBe("all");
  });

  it("falls back to the page in sight when one of all matching is unticked", () => {
    const rest = setRows({ kind: "matching", total: 1234 }, ["b"], false, PAGE);
    expect(rest).toEqual({ kind: "rows", ids: new Set(["a", "c", "d"]) });
  });

  it("ranges in both directions", () => {
    expect(range(PAGE, 3, 1)).toEqual(["b", "c", "d"]);
    expect(range(PAGE, 1, 1)).toEqual(["b"]);
  });
});
