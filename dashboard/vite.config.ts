import { fileURLToPath } from "node:url";
import { defineConfig } from "vite";

const hub = process.env["OUTPOST_HUB"] ?? "http://127.0.0.1:8080";

export default defineConfig({
  build: {
    outDir: fileURLToPath(new URL("../hub/web/static", import.meta.url)),
    emptyOutDir: true,
    target: "es2023",
    // A `data:` URL would need `font-src data:` in the hub's Content-Security-Policy.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: true,
  },
  oxc: { jsx: { runtime: "automatic", importSource: "preact" } },
  server: { proxy: { "/api": { target: hub, ws: true }, "/metrics": hub, "/claim": hub } },
});
