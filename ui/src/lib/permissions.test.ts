import { describe, expect, it } from "vitest";
import { roles } from "../strings/roles";
import { GROUPS, grouped, roleId, toggled } from "./permissions";

const ALL = GROUPS.flatMap((group) => group.permissions);

describe("groups of permissions", () => {
  it("hold each permission once, with words for it", () => {
    expect(new Set(ALL).size).toBe(ALL.length);
    expect(ALL.filter((permission) => !roles.permissions[permission])).toEqual([]);
    expect(Object.keys(roles.permissions).filter((permission) => !ALL.includes(permission))).toEqual([]);
  });

  it("lose nothing of a role, not even what is new", () => {
    const held = ["scans.view", "reports.view", "teleport.use"];
    expect(grouped(held)).toEqual([
      { id: "scanning", permissions: ["scans.view"] },
      { id: "unused", permissions: ["reports.view", "teleport.use"] },
    ]);
  });
});

describe("a permission switched on or off", () => {
  it("brings seeing with doing, and takes doing with seeing", () => {
    expect(toggled([], "scans.run", true).sort()).toEqual(["scans.run", "scans.view"]);
    expect(toggled(["scans.run", "scans.view", "assets.view"], "scans.view", false)).toEqual(["assets.view"]);
    expect(toggled(["scans.run", "scans.view"], "scans.run", false)).toEqual(["scans.view"]);
    // Nothing is there to be seen of it.
    expect(toggled([], "exports.run", true)).toEqual(["exports.run"]);
    expect(toggled([], "audit.view", true)).toEqual(["audit.view"]);
  });
});

describe("the name of a role for programs", () => {
  it.each([
    ["Scan operator", "scan_operator"],
    ["  2nd line: Prüfer! ", "nd_line_prufer"],
    ["***", ""],
    ["x".repeat(60), "x".repeat(40)],
  ])("%s", (name, id) => expect(roleId(name)).toBe(id));
});
