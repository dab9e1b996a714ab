import { describe, expect, it } from "vitest";
import { actionTitle, auditActions } from "./audit-actions";

describe("titles of the audit log", () => {
  it("tell the actions apart in plain words", () => {
    const titles = Object.values(auditActions);
    expect(new Set(titles).size).toBe(titles.length);
    expect(titles.filter((title) => /[._]/.test(title) || !/^[A-Z]/.test(title))).toEqual([]);
  });

  it("leave an unknown action as it is", () => {
    expect(actionTitle("user.create")).toBe("User made");
    expect(actionTitle("teleport.use")).toBe("teleport.use");
  });
});
