import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { defineConfig } from "vite";

const hub = process.env["OUTPOST_HUB"] ?? "http://127.0.0.1:8080";

const fontLicense = new URL(
  "./node_modules/@fontsource-variable/ibm-plex-sans/LICENSE",
  import.meta.url,
);

export default defineConfig({
  plugins: [
    {
      name: "font-license",
      generateBundle() {
        const source = readFileSync(fontLicense, "utf8");
        this.emitFile({ type: "asset", fileName: "licenses-font.txt", source });
      },
    },
  ],
  build: {
    outDir: fileURLToPath(new URL("../hub/web/static", import.meta.url)),
    emptyOutDir: true,
    target: "es2023",
    // A `data:` URL would need `font-src data:` in the hub's Content-Security-Policy.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: true,
    // What the bundle carries of others is named beside it.
    license: { fileName: "licenses.md" },
  },
  oxc: { jsx: { runtime: "automatic", importSource: "preact" } },
  server: { proxy: { "/api": { target: hub, ws: true }, "/metrics": hub, "/claim": hub } },
});
