import { describe, expect, it } from "vitest";
import { contrast, isColor } from "./contrast";

describe("contrast", () => {
  it("is 21 for black on white, whichever way round", () => {
    expect(contrast("#000000", "#ffffff")).toBeCloseTo(21, 5);
    expect(contrast("#ffffff", "#000000")).toBeCloseTo(21, 5);
  });

  it("agrees with the table of the tokens", () => {
    expect(contrast("#0B62C4", "#FAFAF9")).toBeCloseTo(5.7, 1);
    expect(contrast("#6FB1FF", "#1A1D20")).toBeCloseTo(7.6, 1);
  });

  it("knows a colour", () => {
    expect(isColor("#0b62c4")).toBe(true);
    expect(isColor("0b62c4")).toBe(false);
    expect(isColor("#fff")).toBe(false);
  });
});
