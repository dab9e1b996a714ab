import { describe, expect, it } from "vitest";
import type { User } from "../../api/model";
import { admin } from "../../lib/users.fixture";
import { partsOf } from "./parts";

const reader = (first: boolean): User => ({ ...admin(first), permissions: ["system.view", "config.view"] });

describe("the System page", () => {
  it("has everything for administrators of the installation", () => {
    expect(Object.values(partsOf(admin(true)))).toEqual([true, true, true, true]);
  });

  it("has for a tenant what the server answers a tenant", () => {
    expect(partsOf(admin(false))).toEqual({
      page: true,
      workers: false,
      command: false,
      commandJobs: true,
    });
  });

  it("commands nothing without the permission", () => {
    expect(partsOf(reader(true))).toMatchObject({ page: true, workers: true, command: false, commandJobs: false });
    expect(partsOf({ ...reader(true), permissions: [] })).toMatchObject({ page: false, workers: false });
    expect(partsOf(null).page).toBe(false);
  });
});
