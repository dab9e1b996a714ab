import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";
import { mockApi } from "./dev/mock/plugin";

/**
 * `BARTIZAN_API=http://127.0.0.1:8000 npm run dev` develops against a running server;
 * without it the development server answers `/api` from `dev/mock`, which is never part of a build.
 */
const upstream = process.env.BARTIZAN_API;

export default defineConfig({
  base: "/ui/",
  plugins: [react(), ...(upstream ? [] : [mockApi()])],
  server: {
    proxy: upstream
      ? Object.fromEntries(["/api", "/health"].map((path) => [path, { target: upstream, changeOrigin: true }]))
      : undefined,
  },
  // The server writes a fresh nonce over this placeholder in every index.html it sends.
  html: { cspNonce: "__CSP_NONCE__" },
  build: {
    target: "es2022",
    manifest: true,
    assetsInlineLimit: 0,
    sourcemap: false,
    modulePreload: { polyfill: false },
  },
});
