import { describe, expect, it } from "vitest";
import type { User } from "../api/model";
import { GROUPS } from "../lib/permissions";
import { SETTINGS, visible } from "./places";

const admin = (first: boolean): User => ({
  id: "1",
  username: "admin",
  email: "admin@example.com",
  role: "admin",
  organization: { id: "2", name: "Example", first },
  permissions: GROUPS.flatMap((group) => group.permissions),
  auth_provider: "internal",
  theme_preference: "system",
});

describe("settings of the installation", () => {
  it("are no pages of a tenant", () => {
    const shown = (user: User) => SETTINGS.filter((place) => visible(user, place)).map((place) => place.to);
    const missing = shown(admin(true)).filter((to) => !shown(admin(false)).includes(to));
    expect(missing).toEqual(["/settings/sign-in", "/settings/mail"]);
    expect(shown(admin(false))).toContain("/settings/system");
  });
});
