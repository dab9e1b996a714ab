import { describe, expect, it } from "vitest";
import { safeReturn } from "./safe-return";

describe("safeReturn", () => {
  it("keeps a path of this interface with its query", () => {
    expect(safeReturn("/findings?severity=high,critical&page=2")).toEqual({
      to: "/findings",
      search: { severity: "high,critical", page: "2" },
    });
    expect(safeReturn("/ui/scans/17")).toEqual({ to: "/scans/17", search: {} });
  });

  it.each([null, undefined, "", "https://evil.example", "//evil.example/x", "/\\evil.example", "javascript:alert(1)"])(
    "does not follow %s",
    (asked) => {
      expect(safeReturn(asked)).toEqual({ to: "/", search: {} });
    },
  );
});
