import { describe, expect, it } from "vitest";
import { clientName } from "./client-name";

describe("clientName", () => {
  it.each([
    [
      "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/149.0.0.0 Safari/537.36",
      "Chrome 149",
      "Linux",
    ],
    [
      "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/149.0.0.0 Safari/537.36 Edg/149.0.0.0",
      "Edge 149",
      "Windows",
    ],
    ["Mozilla/5.0 (Macintosh; Intel Mac OS X 10.15; rv:140.0) Gecko/20100101 Firefox/140.0", "Firefox 140", "macOS"],
    [
      "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Mobile/15E148 Safari/604.1",
      "Safari 18",
      "iOS",
    ],
    ["curl/8.14.1", "curl 8.14.1", null],
  ])("%s", (agent, client, system) => {
    expect(clientName(agent)).toEqual({ client, system });
  });

  it("says nothing about nothing", () => {
    expect(clientName(null)).toBeNull();
    expect(clientName("  ")).toBeNull();
  });
});
