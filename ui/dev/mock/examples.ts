/**
 * Answers from the OpenAPI document: the example of a schema, or the plainest value of it. Whatever the API has and
 * `plugin.ts` and `platform.ts` do not act out is answered like this, so a new page has something to show at once.
 */
import { readFileSync } from "node:fs";

interface Schema {
  $ref?: string;
  example?: unknown;
  type?: string | string[];
  format?: string;
  enum?: unknown[];
  default?: unknown;
  items?: Schema;
  properties?: Record<string, Schema>;
  allOf?: Schema[];
  oneOf?: Schema[];
  anyOf?: Schema[];
}

interface Operation {
  responses: Record<string, { content?: Record<string, { schema?: Schema }> }>;
}

const document = JSON.parse(readFileSync(new URL("../../openapi.json", import.meta.url), "utf8")) as {
  paths: Record<string, Record<string, Operation>>;
  components: { schemas: Record<string, Schema> };
};

const PAGE = ["data", "page", "page_size", "total", "total_pages"];

function sample(schema: Schema | undefined, depth = 0): unknown {
  if (!schema || depth > 12) return null;
  if (schema.$ref) return sample(document.components.schemas[schema.$ref.split("/").pop() ?? ""], depth + 1);
  if (schema.example !== undefined) return schema.example;
  if (schema.properties && PAGE.every((name) => schema.properties?.[name])) {
    const data = [sample(schema.properties.data?.items, depth + 1)];
    return { data, page: 1, page_size: 50, total: data.length, total_pages: 1 };
  }
  if (schema.allOf) return Object.assign({}, ...schema.allOf.map((part) => sample(part, depth + 1)));
  const some = schema.oneOf ?? schema.anyOf;
  if (some) return some.some((part) => part.type === "null") ? null : sample(some[0], depth + 1);
  if (schema.properties) {
    return Object.fromEntries(Object.entries(schema.properties).map(([name, part]) => [name, sample(part, depth + 1)]));
  }
  if (schema.enum) return schema.enum[0];
  if (schema.default !== undefined) return schema.default;
  const type = Array.isArray(schema.type) ? schema.type.find((name) => name === "null") : schema.type;
  if (type === "array") return schema.items ? [sample(schema.items, depth + 1)] : [];
  if (type === "integer" || type === "number") return 0;
  if (type === "boolean") return false;
  if (type === "string") return schema.format === "date-time" ? new Date().toISOString() : "";
  return type === "object" ? {} : null;
}

/** What the document says a call answers; null for a call that it does not know. */
export function example(method: string, path: string): { status: number; value: unknown } | null {
  const parts = path.split("/");
  const fits = (template: string) => {
    const wanted = template.split("/");
    return wanted.length === parts.length && wanted.every((part, at) => part.startsWith("{") || part === parts[at]);
  };
  // `/api/assets/tags` before `/api/assets/{asset_id}`.
  const found = Object.keys(document.paths)
    .filter(fits)
    .sort((a, b) => a.split("{").length - b.split("{").length)[0];
  const responses = found ? document.paths[found]?.[method.toLowerCase()]?.responses : undefined;
  const good = Object.entries(responses ?? {}).find(([status]) => status.startsWith("2"));
  if (!good) return null;
  return { status: Number(good[0]), value: sample(good[1].content?.["application/json"]?.schema) ?? undefined };
}
