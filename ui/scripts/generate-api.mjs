// Writes src/api/schema.ts from openapi.json. `--check` writes nothing and fails when the file is stale.
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import openapiTS, { astToString } from "openapi-typescript";

const source = new URL("../openapi.json", import.meta.url);
const target = new URL("../src/api/schema.ts", import.meta.url);
const header = "// Generated from openapi.json by `npm run generate:api`. Do not edit.\n\n";
const text = header + astToString(await openapiTS(source, { defaultNonNullable: false }));

if (process.argv.includes("--check")) {
  if (!existsSync(target) || readFileSync(target, "utf8") !== text) {
    console.error("src/api/schema.ts is stale: run `npm run generate:api` and commit the result");
    process.exit(1);
  }
  console.log("src/api/schema.ts is up to date");
} else {
  writeFileSync(target, text);
  console.log("wrote src/api/schema.ts");
}
