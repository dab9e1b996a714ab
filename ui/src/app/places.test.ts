import { describe, expect, it } from "vitest";
import type { User } from "../api/model";
import { admin } from "../lib/users.fixture";
import { SETTINGS, visible } from "./places";

describe("settings of the installation", () => {
  it("are no pages of a tenant", () => {
    const shown = (user: User) => SETTINGS.filter((place) => visible(user, place)).map((place) => place.to);
    const missing = shown(admin(true)).filter((to) => !shown(admin(false)).includes(to));
    expect(missing).toEqual(["/settings/sign-in", "/settings/mail"]);
    expect(shown(admin(false))).toContain("/settings/system");
  });
});
