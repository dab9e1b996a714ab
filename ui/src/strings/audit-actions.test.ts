import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { actionTitle, auditActions } from "./audit-actions";

const document = JSON.parse(readFileSync(new URL("../../openapi.json", import.meta.url), "utf8"));
const known: string[] = document.components.schemas.AuditEntry.properties.action.enum;

describe("titles of the audit log", () => {
  it("exist for every action the server can write, and for no other", () => {
    expect(known.length).toBeGreaterThan(60);
    expect(Object.keys(auditActions).sort()).toEqual([...known].sort());
  });

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
