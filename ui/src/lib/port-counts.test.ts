import { describe, expect, it } from "vitest";
import { portCounts } from "./port-counts";

const port = (protocol: "tcp" | "udp", state: string) => ({
  address: "192.0.2.1",
  port: 1,
  protocol,
  state,
  reason: "",
  service: null,
  product: null,
  version: null,
  tls: false,
});

describe("portCounts", () => {
  it("adds the ports listed and those only summarised", () => {
    const counts = portCounts({
      ports: [...Array.from({ length: 12 }, () => port("udp", "closed")), port("tcp", "closed")],
      summarised: [
        { address: "192.0.2.1", protocol: "tcp", state: "closed", reason: "reset", count: 990 },
        { address: "192.0.2.1", protocol: "tcp", state: "closed", reason: "unreachable", count: 9 },
      ],
    });
    expect(counts).toEqual({
      open: 0,
      total: 1012,
      exact: true,
      rest: [
        { protocol: "tcp", state: "closed", count: 1000 },
        { protocol: "udp", state: "closed", count: 12 },
      ],
    });
  });
  it("is a lower bound where nothing is said of the others", () => {
    const counts = portCounts({ ports: [port("tcp", "open"), port("tcp", "filtered")] });
    expect(counts).toMatchObject({ open: 1, total: 2, exact: false });
  });
});
