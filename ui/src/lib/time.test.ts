import { describe, expect, it } from "vitest";
import { inZone, sameClock } from "./time";

describe("inZone", () => {
  it("shows an instant on the clock of the zone", () => {
    expect(inZone("2026-11-23T01:00:00Z", "Europe/Berlin")).toMatch(/02:00/);
    expect(inZone("2026-11-23T01:00:00Z", "America/New_York")).toMatch(/22.*20:00/);
  });

  it("still shows something for a zone this browser does not know, or no time", () => {
    expect(inZone("2026-11-23T01:00:00Z", "Mars/Olympus")).toMatch(/2026/);
    expect(inZone("soon", "UTC")).toBe("soon");
  });

  it("tells clocks that differ", () => {
    expect(sameClock("2026-11-23T01:00:00Z", "UTC", "Etc/UTC")).toBe(true);
    expect(sameClock("2026-11-23T01:00:00Z", "UTC", "Europe/Berlin")).toBe(false);
  });
});
