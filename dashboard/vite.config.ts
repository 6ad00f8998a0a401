import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { defineConfig, type Plugin } from "vite";

const hub = process.env["OUTPOST_HUB"] ?? "http://127.0.0.1:8080";

const fontLicense = new URL(
  "./node_modules/@fontsource-variable/ibm-plex-sans/LICENSE",
  import.meta.url,
);

const publicFolder = fileURLToPath(new URL("./public", import.meta.url));
const NOT_KEPT = /^(sw\.js|licenses.*|index\.html)$/;

/** Tell the service worker what to keep, and by which name: another build is another cache. */
const keptFiles: Plugin = {
  name: "kept-files",
  enforce: "post",
  generateBundle(_options, bundle) {
    const worker = bundle["sw.js"];
    if (worker?.type !== "chunk") throw new Error("the build made no service worker");
    const made = Object.keys(bundle).filter((name) => !NOT_KEPT.test(name));
    const files = [...made, ...readdirSync(publicFolder)].map((name) => `/${name}`).sort();
    const build = createHash("sha256").update(worker.code).update(files.join());
    for (const name of readdirSync(publicFolder)) {
      build.update(readFileSync(`${publicFolder}/${name}`));
    }
    worker.code = worker.code
      .replaceAll("__FILES__", JSON.stringify(files))
      .replaceAll("__BUILD__", JSON.stringify(build.digest("hex").slice(0, 16)));
  },
};

export default defineConfig({
  plugins: [
    keptFiles,
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
    rolldownOptions: {
      input: {
        index: fileURLToPath(new URL("./index.html", import.meta.url)),
        sw: fileURLToPath(new URL("./src/worker/sw.ts", import.meta.url)),
      },
      output: {
        // At the root, so that it may answer for every page, and by the same name always.
        entryFileNames: ({ name }) => (name === "sw" ? "sw.js" : "assets/[name]-[hash].js"),
      },
    },
    reportCompressedSize: true,
    // What the bundle carries of others is named beside it.
    license: { fileName: "licenses.md" },
  },
  oxc: { jsx: { runtime: "automatic", importSource: "preact" } },
  server: { proxy: { "/api": { target: hub, ws: true }, "/metrics": hub, "/claim": hub } },
});
