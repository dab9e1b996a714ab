import { createElement } from "react";
import { renderToStaticMarkup } from "react-dom/server";
import { describe, expect, it } from "vitest";
import { Evidence } from "../pages/findings/Evidence";
import { FIRST, factName, isWide, shapeOf } from "./evidence";

const html = (value: unknown) => renderToStaticMarkup(createElement(Evidence, { value }));

describe("shapeOf", () => {
  it("makes a table of objects, with the column first that names the row", () => {
    const rows = [
      { assignments: 3, path: "/.env", status: 200 },
      { path: "/.env.local", size: 1 },
    ];
    expect(shapeOf(rows)).toEqual({ kind: "table", columns: ["path", "assignments", "status", "size"], rows });
  });
  it("makes facts of objects too broad for a table", () => {
    const row = Object.fromEntries("abcdef".split("").map((key) => [key, 1]));
    expect(shapeOf([row]).kind).toBe("list");
    expect(isWide([row])).toBe(true);
  });
  it("puts what has an inside last", () => {
    const shape = shapeOf({ bits: 1024, certificate: { subject: "CN=a" }, smallest: 2048 });
    expect(shape.kind === "facts" && shape.entries.map(([name]) => name)).toEqual(["bits", "smallest", "certificate"]);
  });
  it("tells what was not sent from what was not found out", () => {
    expect(shapeOf(null, "header").kind).toBe("none");
    expect(shapeOf(null, "registrar").kind).toBe("unknown");
    expect(shapeOf([], "header").kind).toBe("none");
    expect(shapeOf(undefined).kind).toBe("unknown");
  });
  it("knows words, numbers and instants", () => {
    expect(shapeOf(false).kind).toBe("no");
    expect(shapeOf(0)).toEqual({ kind: "number", text: "0" });
    expect(shapeOf("2026-11-25T09:38:30Z").kind).toBe("instant");
    expect(shapeOf("2026-11-25").kind).toBe("text");
    expect(shapeOf(["git"])).toEqual({ kind: "text", text: "git" });
  });
});

describe("factName", () => {
  it("reads as words", () => {
    expect(["not_after", "sha256", "url", "x_frame_options", "https_port_tried", "redirects_to"].map(factName)).toEqual(
      ["Not after", "SHA-256", "URL", "X-Frame-Options", "HTTPS port tried", "Redirects to"],
    );
  });
});

describe("Evidence", () => {
  it("is a table, not a dump", () => {
    const text = html({ files: [{ names: ["A", "B"], path: "/.env", readable: true, size: null }] });
    expect(text).toContain('aria-label="Files"');
    expect(text).toContain('<th scope="col">Path</th>');
    expect(text).toContain("yes");
    expect(text).toContain("not known");
    expect(text).not.toMatch(/[{}[\]]/);
  });
  it("shows hostile text as text", () => {
    expect(html({ title: "<img src=x onerror=alert(1)>" })).toContain("&lt;img src=x onerror=alert(1)&gt;");
  });
  it("bounds items, characters and depth", () => {
    const many = html({ suites: Array.from({ length: FIRST + 5 }, (_, index) => `suite-${index}`) });
    expect(many.match(/<li>/g)).toHaveLength(FIRST);
    expect(many).toContain(`Show all ${FIRST + 5}`);
    expect(html({ record: "x".repeat(700) })).toContain("Show the other 100 characters");
    let deep: unknown = "end";
    for (let level = 0; level < 50; level += 1) deep = { inner: deep };
    expect(html(deep).match(/<dl>/g)?.length).toBeLessThanOrEqual(4);
  });
  it("says when there is none", () => {
    expect(html({})).toContain("No evidence is stored");
    expect(html(null)).toContain("No evidence is stored");
  });
});
