import { describe, expect, it } from "vitest";
import { fragmentToken } from "./fragment";

describe("fragmentToken", () => {
  it("reads the token behind the hash sign", () => {
    expect(fragmentToken("#token=ab-c_9")).toBe("ab-c_9");
  });
  it("is empty without one", () => {
    expect(fragmentToken("")).toBe("");
    expect(fragmentToken("#other=1")).toBe("");
  });
});
