import { defineConfig } from "vitest/config";

/** Browser tests: one server and one browser for all files, in order, because the flow builds up its data. */
export default defineConfig({
  test: {
    include: ["e2e/**/*.test.ts"],
    environment: "node",
    fileParallelism: false,
    testTimeout: 120_000,
    hookTimeout: 120_000,
    bail: 0,
  },
});
