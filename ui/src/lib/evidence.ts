/**
 * What a piece of evidence looks like: a table, named facts, a list, a word. Evidence has no fixed shape and comes from
 * outside, so its shape is read here, bounded, and `pages/findings/Evidence.tsx` draws it.
 */
import { t } from "../strings";

export type Shape =
  | { kind: "unknown" | "none" | "yes" | "no" }
  | { kind: "number" | "instant" | "text"; text: string }
  | { kind: "list"; items: readonly unknown[] }
  | { kind: "facts"; entries: readonly [name: string, value: unknown][] }
  | { kind: "table"; columns: readonly string[]; rows: readonly Record<string, unknown>[] };

/** Structures below this depth are shown as JSON: nobody reads a table in a table in a table. */
export const MAX_DEPTH = 3;
/** Columns a table may have before its rows become facts. */
const MAX_COLUMNS = 5;
/** Items, rows and facts shown before one asks for the rest. */
export const FIRST = 20;
/** Characters of one text shown before one asks for the rest. */
export const FIRST_CHARACTERS = 600;

/**
 * Facts that say what the target sent, where null means that it sent nothing. Elsewhere null means that it was not
 * found out.
 */
const ABSENT_WHEN_NULL = new Set([
  "charset",
  "content_security_policy",
  "content_type",
  "header",
  "max_age",
  "redirects_to",
  "shared_prime",
  "title",
  "x_frame_options",
]);

/** Columns that say what a row is about. */
const NAMING = new Set(["name", "path", "url", "where", "kind", "server"]);

const INSTANT = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d+)?(?:Z|[+-]\d{2}:\d{2})$/;

export function shapeOf(value: unknown, name = ""): Shape {
  if (value === undefined) return { kind: "unknown" };
  if (value === null) return { kind: ABSENT_WHEN_NULL.has(name) ? "none" : "unknown" };
  if (typeof value === "boolean") return { kind: value ? "yes" : "no" };
  if (typeof value === "number" || typeof value === "bigint") return { kind: "number", text: String(value) };
  if (typeof value === "string") {
    if (value === "") return { kind: "none" };
    return { kind: INSTANT.test(value) ? "instant" : "text", text: value };
  }
  if (Array.isArray(value)) {
    if (value.length === 0) return { kind: "none" };
    if (value.length === 1 && !isRecord(value[0]) && !Array.isArray(value[0])) return shapeOf(value[0], name);
    if (!value.every(isRecord)) return { kind: "list", items: value };
    const columns = first([...new Set(value.flatMap((row) => Object.keys(row)))], (column) => NAMING.has(column));
    return columns.length > 0 && columns.length <= MAX_COLUMNS
      ? { kind: "table", columns, rows: value }
      : { kind: "list", items: value };
  }
  // What has an inside of its own comes last: a fact after it would read as a part of it.
  const entries = first(Object.entries(value as object), ([, fact]) => !isWide(fact));
  return entries.length === 0 ? { kind: "none" } : { kind: "facts", entries };
}

/** Whether a fact needs the whole width, with its name above it. */
export function isWide(value: unknown): boolean {
  // Not by `shapeOf`, which asks this of every part of a value: one level is looked at.
  return Array.isArray(value) ? value.some(isRecord) : isRecord(value) && Object.keys(value).length > 0;
}

/** Those that are wanted first, otherwise in their order. */
function first<T>(items: readonly T[], wanted: (item: T) => boolean): T[] {
  return [...items.filter(wanted), ...items.filter((item) => !wanted(item))];
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** `not_after` as `Not after`, `sha256` as `SHA-256`, `x_frame_options` as `X-Frame-Options`. */
export function factName(key: string): string {
  const known = t.evidence.names[key];
  if (known) return known;
  const words = key.replaceAll("_", " ").trim().split(/\s+/);
  const text = words.map((word) => t.evidence.words[word.toLowerCase()] ?? word).join(" ");
  return text.charAt(0).toUpperCase() + text.slice(1);
}
