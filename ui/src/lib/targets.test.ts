import { describe, expect, it } from "vitest";
import { portOf, portPlan } from "./targets";

describe("portOf", () => {
  it.each([
    ["127.0.0.1:8443", "8443"],
    ["example.com:22", "22"],
    ["[2001:db8::1]:443", "443"],
    ["https://example.com:8443/path", "8443"],
    ["https://example.com", null],
    ["https://example.com:443", null],
    ["2001:db8::1", null],
    ["192.0.2.0/24", null],
    ["192.0.2.1-20", null],
    ["example.com", null],
    ["https://", null],
  ])("%s", (target, port) => expect(portOf(target)).toBe(port));
});

describe("portPlan", () => {
  it("is of the targets where each names a port", () => {
    expect(portPlan(["a.example:22", "b.example:22", "a.example:80"], 0, "top:1000")).toEqual({
      scanned: null,
      named: ["22", "80"],
      more: 0,
    });
  });
  it("is the profile's for the others and for assets", () => {
    expect(portPlan(["a.example:22", "b.example"], 0, "top:1000").scanned).toBe("top:1000");
    expect(portPlan(["a.example:22"], 1, "top:1000")).toMatchObject({ scanned: "top:1000", named: ["22"] });
    expect(portPlan([], 0, "top:100").scanned).toBe("top:100");
  });
  it("counts what it does not write out", () => {
    const targets = Array.from({ length: 9 }, (_, index) => `a.example:${index + 1}`);
    expect(portPlan(targets, 0, "")).toMatchObject({ named: ["1", "2", "3", "4", "5", "6"], more: 3 });
  });
});
