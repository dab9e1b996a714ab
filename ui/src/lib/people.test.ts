import { describe, expect, it } from "vitest";
import { fromMember, fromUser, grantable, minutesUntil, type Person, verdicts } from "./people";

const ROLES = [
  { name: "admin", permissions: ["members.manage", "users.manage", "scans.run", "scans.view"] },
  { name: "helper", permissions: ["users.manage", "scans.view"] },
  { name: "read_only", permissions: ["scans.view"] },
];
const permissionsOf = (name: string) => ROLES.find((role) => role.name === name)?.permissions ?? [];
const reader = (role: string) => ({ id: "me", permissions: permissionsOf(role) });
const person = (change: Partial<Person> = {}): Person => ({
  id: "ada",
  username: "ada",
  email: "ada@example.com",
  role: "read_only",
  active: true,
  provider: "internal",
  lastLogin: null,
  since: "2026-11-01T08:00:00Z",
  ...change,
});

describe("what an administrator may do for somebody", () => {
  it("is everything for who may do all the person may", () => {
    expect(new Set(Object.values(verdicts(person(), reader("admin"), ROLES)))).toEqual(new Set(["yes"]));
  });

  it("is nothing without a permission", () => {
    expect(new Set(Object.values(verdicts(person(), reader("read_only"), ROLES)))).toEqual(new Set(["never"]));
  });

  it("with users.manage alone is all but ending the membership", () => {
    const { remove, ...rest } = verdicts(person(), reader("helper"), ROLES);
    expect(remove).toBe("never");
    expect(new Set(Object.values(rest))).toEqual(new Set(["yes"]));
  });

  it("with members.manage alone is the place, not the account", () => {
    const may = verdicts(person(), { id: "me", permissions: ["members.manage", "scans.view"] }, ROLES);
    expect(may).toMatchObject({ role: "yes", active: "yes", remove: "yes" });
    expect(may).toMatchObject({ email: "never", password: "never", factor: "never", sessions: "never" });
  });

  it("is nothing for somebody who may do more", () => {
    const may = verdicts(person({ role: "admin" }), reader("helper"), ROLES);
    expect(may).toMatchObject({
      email: "beyond",
      role: "beyond",
      password: "beyond",
      factor: "beyond",
      sessions: "beyond",
    });
  });

  it("leaves one's own role, password and place to others, and the address to oneself", () => {
    const may = verdicts(person({ id: "me", role: "admin" }), reader("admin"), ROLES);
    expect(may).toEqual({
      email: "yes",
      role: "self",
      password: "self",
      factor: "self",
      sessions: "self",
      active: "self",
      remove: "self",
    });
  });

  it("leaves what a directory keeps to the directory", () => {
    const may = verdicts(person({ provider: "ldap" }), reader("admin"), ROLES);
    expect(may).toMatchObject({ email: "elsewhere", password: "elsewhere", factor: "elsewhere", active: "yes" });
  });

  it("makes no link for somebody who is kept out", () => {
    const may = verdicts(person({ active: false }), reader("admin"), ROLES);
    expect(may).toMatchObject({ password: "inactive", factor: "yes", active: "yes" });
  });

  it("leaves it to the server where the roles cannot be read", () => {
    expect(verdicts(person({ role: "admin" }), reader("helper"), []).email).toBe("yes");
  });
});

describe("roles to give", () => {
  it("hold nothing the giver does not", () => {
    expect(grantable(ROLES, permissionsOf("helper")).map((role) => role.name)).toEqual(["helper", "read_only"]);
  });
});

describe("people", () => {
  it("are the same from either list", () => {
    const both = {
      username: "ada",
      email: "ada@example.com",
      role: "read_only",
      is_active: true,
      auth_provider: "internal",
      last_login_at: null,
    };
    const at = "2026-11-01T08:00:00Z";
    expect(fromMember({ ...both, user_id: "ada", joined_at: at })).toEqual(person());
    expect(fromUser({ ...both, id: "ada", created_at: at, theme_preference: "system" })).toEqual(person());
  });
});

describe("minutes that are left", () => {
  it("are whole and never less than none", () => {
    const now = Date.parse("2026-11-22T09:00:00Z");
    expect(minutesUntil("2026-11-22T09:59:40Z", now)).toBe(60);
    expect(minutesUntil("2026-11-22T08:00:00Z", now)).toBe(0);
  });
});
