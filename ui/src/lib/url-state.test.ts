import { describe, expect, it } from "vitest";
import { formatState, PAGE_SIZE, parseQuery, parseState, toggleSort } from "./url-state";

const KNOWN = ["severity", "status", "tag"];

describe("parseState", () => {
  it("gives defaults for an empty address", () => {
    expect(parseState({}, KNOWN)).toEqual({ filters: {}, q: "", sort: [], page: 1, pageSize: PAGE_SIZE, open: null });
  });

  it("drops unknown filters, repeated values and broken numbers", () => {
    const state = parseState(
      { severity: "high,,high, low", colour: "red", page: "-3", size: "17", sort: "-title" },
      KNOWN,
    );
    expect(state.filters).toEqual({ severity: ["high", "low"] });
    expect(state.page).toBe(1);
    expect(state.pageSize).toBe(PAGE_SIZE);
    expect(state.sort).toEqual([{ id: "title", desc: true }]);
  });

  it("survives the way to the address and back", () => {
    const search = {
      severity: "critical,high",
      tag: "pci scope",
      q: "tls 1.0",
      sort: "-severity",
      page: "3",
      size: "100",
      open: "x1",
    };
    expect(formatState(parseState(search, KNOWN))).toEqual(search);
  });
});

describe("formatState", () => {
  it("leaves out what is at its default and keeps what belongs to the page", () => {
    const state = parseState({ status: "" }, KNOWN);
    expect(formatState({ ...state, filters: { status: [] } }, { tab: "results" })).toEqual({ tab: "results" });
  });

  it("never lets a filter overwrite the table's own parameters", () => {
    const state = { ...parseState({}, KNOWN), filters: { page: ["9"] } };
    expect(formatState(state).page).toBeUndefined();
  });
});

describe("toggleSort", () => {
  it("goes through both directions and then off", () => {
    const one = toggleSort([], "title", false);
    const two = toggleSort(one, "title", false);
    expect(one).toEqual([{ id: "title", desc: false }]);
    expect(two).toEqual([{ id: "title", desc: true }]);
    expect(toggleSort(two, "title", false)).toEqual([]);
  });

  it("starts descending where that is the useful order", () => {
    const one = toggleSort([{ id: "title", desc: false }], "severity", false, true);
    expect(one).toEqual([{ id: "severity", desc: true }]);
    expect(toggleSort(one, "severity", false, true)).toEqual([{ id: "severity", desc: false }]);
  });

  it("adds, changes and removes keys in place", () => {
    const base = [{ id: "a", desc: false }];
    expect(toggleSort(base, "b", true)).toEqual([...base, { id: "b", desc: false }]);
    expect(toggleSort([{ id: "a", desc: true }], "a", true)).toEqual([]);
  });
});

describe("parseQuery", () => {
  it("splits filters from text", () => {
    expect(parseQuery('severity:critical,high tag:"pci scope" weak cipher', KNOWN)).toEqual({
      filters: { severity: ["critical", "high"], tag: ["pci scope"] },
      q: "weak cipher",
    });
  });

  it("leaves unknown names and addresses in the text", () => {
    expect(parseQuery("colour:red 2001:db8::1 status:", KNOWN)).toEqual({
      filters: {},
      q: "colour:red 2001:db8::1 status:",
    });
  });
});
