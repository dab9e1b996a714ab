// Fails when the script a first visit loads is larger than the budget: entry chunk plus everything it imports
// statically, gzip-compressed. Also fails when the build names another host.
import { readdirSync, readFileSync } from "node:fs";
import { gzipSync } from "node:zlib";

const BUDGET = 250_000;
const dist = new URL("../dist/", import.meta.url);
const manifest = JSON.parse(readFileSync(new URL(".vite/manifest.json", dist), "utf8"));
const entry = Object.keys(manifest).find((key) => manifest[key].isEntry);
if (!entry) {
  console.error("dist/.vite/manifest.json names no entry: run vite build first");
  process.exit(1);
}

const seen = new Set();
const visit = (key) => {
  if (seen.has(key)) return;
  seen.add(key);
  for (const next of manifest[key].imports ?? []) visit(next);
};
visit(entry);

let total = 0;
for (const key of seen) {
  total += gzipSync(readFileSync(new URL(manifest[key].file, dist))).length;
}
console.log(`first load: ${(total / 1000).toFixed(1)} kB of script in ${seen.size} files (budget ${BUDGET / 1000} kB)`);
if (total > BUDGET) process.exitCode = 1;

for (const name of readdirSync(new URL("assets/", dist))) {
  if (!name.endsWith(".css")) continue;
  const text = readFileSync(new URL(`assets/${name}`, dist), "utf8");
  const remote = text.match(/url\(["']?(https?:)?\/\//);
  if (remote) {
    console.error(`${name} loads from another host: ${remote[0]}`);
    process.exitCode = 1;
  }
}
