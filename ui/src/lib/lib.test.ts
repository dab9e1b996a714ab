import { describe, expect, it } from "vitest";
import { asCli, asCurl, quote } from "./command";
import { controlName } from "./controls";
import { firstRows } from "./csv";
import { stack } from "./stack";
import { ago, duration } from "./time";

describe("time", () => {
  const now = Date.parse("2026-11-22T12:00:00Z");
  it("is short and relative", () => {
    expect(ago("2026-11-22T11:58:00Z", now)).toBe("2m ago");
    expect(ago("2026-11-20T12:00:00Z", now)).toBe("2d ago");
    expect(ago("2026-11-22T11:59:58Z", now)).toBe("now");
    expect(ago("not a time", now)).toBe("not a time");
  });
  it("names durations", () => {
    expect([8, 200, 3720].map(duration)).toEqual(["8 s", "3 min 20 s", "1 h 02 min"]);
  });
});

describe("controlName", () => {
  it("writes references as people do", () => {
    expect(controlName("nis2:21.2.h")).toBe("NIS2 21(2)(h)");
    expect(controlName("2024/2690:9.2")).toBe("2024/2690 9.2");
    expect(controlName("odd")).toBe("odd");
  });
});

describe("firstRows", () => {
  it("reads quotes, line ends and a BOM", () => {
    const text = '\uFEFFname,target_value\r\n"Shop, main",a.example\n"say ""hi""","two\nlines"\n\nlast,row';
    expect(firstRows(text, 10)).toEqual([
      ["name", "target_value"],
      ["Shop, main", "a.example"],
      ['say "hi"', "two\nlines"],
      ["last", "row"],
    ]);
  });
  it("stops at the limit", () => {
    expect(firstRows("a\nb\nc\n", 2)).toEqual([["a"], ["b"]]);
  });
});

describe("stack", () => {
  it("closes every layer on the one below", () => {
    expect(
      stack(
        [
          { a: 1, b: 1 },
          { a: 2, b: 0 },
        ],
        ["a", "b"],
        10,
        10,
        2,
      ),
    ).toEqual(["M0,5L10,0L10,10L0,10Z", "M0,0L10,0L10,0L0,5Z"]);
  });
});

describe("commands to copy", () => {
  const input = {
    kind: "surface" as const,
    asset_ids: [],
    targets: ["example.com"],
    scan_type: "custom" as const,
    features: { port_scan: true, web_checks: true, dns_checks: false, whois_checks: true },
    ports: "22,80",
    concurrency: 5,
    timeout_seconds: 10,
  };
  it("quote what a shell would read", () => {
    expect(quote("a.example")).toBe("a.example");
    expect(quote("it's; rm")).toBe(`'it'\\''s; rm'`);
    expect(asCli(input, ["$(id)"])).toContain("'$(id)'");
  });
  it("name checks and UDP ports", () => {
    const chosen = { ...input, udp_ports: "53,161", checks: ["tls.*", "hsts.missing"], skip: ["tls.v10"] };
    expect(asCli(chosen, ["example.com"])).toContain(
      "--ports 22,80 --udp-ports 53,161 --checks 'tls.*,hsts.missing' --skip tls.v10",
    );
    expect(asCurl(chosen, "http://127.0.0.1:8000")).toContain('"checks":["tls.*","hsts.missing"],"skip":["tls.v10"]');
  });
  it("say what the form says", () => {
    const cli = asCli(input, ["example.com"]);
    expect(cli).toContain("--profile custom --ports 22,80");
    expect(cli).toContain("--concurrency 5");
    expect(cli).not.toContain("--timeout");
    expect(cli).toContain("--no-dns");
    expect(cli).not.toContain("--no-web");
    const curl = asCurl(input, "http://127.0.0.1:8000");
    const json = /-d '(.*)'$/s.exec(curl)?.[1] ?? "";
    expect(JSON.parse(json)).toEqual(input);
  });
});
