import { describe, expect, it } from "vitest";
import { type Action, KeyReader, keyLabels, register, registered } from "./actions";

const action = (id: string, ...keys: string[]): Action => ({
  id,
  title: id,
  keys,
  section: "global",
  run: () => undefined,
});
const LIST = [
  action("down", "j"),
  action("findings", "g f"),
  action("palette", "mod+k"),
  action("help", "?"),
  action("close", "Esc"),
];
const press = (key: string, at = 0, more: Partial<Parameters<KeyReader["read"]>[0]> = {}) => ({
  key,
  ctrl: false,
  meta: false,
  alt: false,
  shift: false,
  typing: false,
  at,
  ...more,
});
const id = (hit: Action | "pending" | null) => (hit && hit !== "pending" ? hit.id : hit);

describe("KeyReader", () => {
  it("reads single keys and sequences", () => {
    const reader = new KeyReader();
    expect(id(reader.read(press("j"), LIST))).toBe("down");
    expect(reader.read(press("g", 0), LIST)).toBe("pending");
    expect(id(reader.read(press("f", 400), LIST))).toBe("findings");
    expect(id(reader.read(press("?", 500, { shift: true }), LIST))).toBe("help");
  });

  it("forgets a sequence after a pause", () => {
    const reader = new KeyReader();
    reader.read(press("g", 0), LIST);
    expect(reader.read(press("f", 5000), LIST)).toBeNull();
  });

  it("leaves text fields and the browser's own keys alone", () => {
    const reader = new KeyReader();
    expect(reader.read(press("j", 0, { typing: true }), LIST)).toBeNull();
    expect(reader.read(press("j", 0, { ctrl: true }), LIST)).toBeNull();
    expect(reader.read(press("j", 0, { alt: true }), LIST)).toBeNull();
    expect(id(reader.read(press("k", 0, { ctrl: true, typing: true }), LIST))).toBe("palette");
    expect(id(reader.read(press("Escape", 0, { typing: true }), LIST))).toBe("close");
  });

  it("can be switched off, except for chords and Esc", () => {
    const reader = new KeyReader();
    expect(reader.read(press("j"), LIST, false)).toBeNull();
    expect(id(reader.read(press("k", 0, { ctrl: true }), LIST, false))).toBe("palette");
    expect(id(reader.read(press("Escape"), LIST, false))).toBe("close");
  });
});

describe("registry", () => {
  it("lets the latest registration of an id win and gives the earlier one back", () => {
    const stop = register([{ ...action("close", "Esc"), section: "table" }]);
    const stopDrawer = register([{ ...action("close", "Esc"), section: "drawer" }]);
    expect(registered().find((entry) => entry.id === "close")?.section).toBe("drawer");
    stopDrawer();
    expect(registered().find((entry) => entry.id === "close")?.section).toBe("table");
    stop();
    expect(registered()).toEqual([]);
  });

  it("labels keys for people", () => {
    expect(keyLabels("g o")).toEqual(["G", "O"]);
    expect(keyLabels("mod+k")).toHaveLength(2);
  });
});
