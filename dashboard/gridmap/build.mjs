// Bundles the map component into built/: the page's script, the map's worker, the guard, the style.
// Run by set-up: node dashboard/gridmap/build.mjs
import { createHash } from "node:crypto";
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { dirname, join } from "node:path";
import { gzipSync } from "node:zlib";
import { build } from "esbuild";
import { checkFloor, FLOOR } from "./floor.mjs";

const HERE = dirname(fileURLToPath(import.meta.url));
const ROOT = join(HERE, "..", "..");
const BUILT = join(HERE, "built");
const WORKER = "gridmap-worker.js";

const SHARED = {
  bundle: true,
  write: false,
  minify: true,
  legalComments: "eof",
  charset: "utf8",
  target: [FLOOR],
  absWorkingDir: ROOT,
  inject: [join(HERE, "src", "polyfills.js")],
  logLevel: "warning",
};

// MapLibre looks for its worker beside its own module. A bundle has no such place: the component
// names the worker itself (src/session.js), so the expression only has to be valid.
const NO_MODULE_URL = { "import.meta.url": '""' };

/** Bundle one entry and refuse what the oldest browser we serve cannot read. */
async function bundle(entry, options = {}) {
  const result = await build({ ...SHARED, ...options, entryPoints: [entry], outdir: BUILT });
  const text = result.outputFiles[0].text;
  const faults = checkFloor(text);
  if (faults.length > 0) throw new Error(`${entry}: too new for ${FLOOR}:\n  ${faults.join("\n  ")}`);
  return text;
}

/** Read the sentences that must be on the page before any script of ours runs. */
async function readGuardWords() {
  const words = {};
  for (const lang of ["zh", "en"]) {
    const text = await readFile(join(ROOT, "geodata", "text", lang, "map.toml"), "utf8");
    const found = /^old_browser = (".*")$/m.exec(text);
    if (!found) throw new Error(`geodata/text/${lang}/map.toml: [map] old_browser is missing`);
    words[lang] = JSON.parse(found[1]);
  }
  return words;
}

const shortHash = (text) => createHash("sha256").update(text).digest("hex").slice(0, 12);

await rm(BUILT, { recursive: true, force: true });
await mkdir(BUILT, { recursive: true });

const worker = await bundle("node_modules/maplibre-gl/dist/maplibre-gl-worker.mjs", {
  format: "iife",
  define: NO_MODULE_URL,
});
const page = await bundle("dashboard/gridmap/src/index.js", {
  format: "iife",
  define: { ...NO_MODULE_URL, WORKER_FILE: JSON.stringify(`${WORKER}?v=${shortHash(worker)}`) },
});
const style = await build({
  ...SHARED,
  inject: [],
  entryPoints: ["dashboard/gridmap/src/gridmap.css"],
  outdir: BUILT,
});
const guard = (await readFile(join(HERE, "src", "guard.js"), "utf8")).replace(
  "GUARD_WORDS",
  JSON.stringify(await readGuardWords()),
);

const files = {
  "gridmap.js": page,
  [WORKER]: worker,
  "gridmap.css": style.outputFiles[0].text,
  "guard.js": guard,
};
for (const [name, text] of Object.entries(files)) {
  await writeFile(join(BUILT, name), text);
  const bytes = Buffer.byteLength(text);
  const packed = gzipSync(text, { level: 9 }).length;
  console.log(`${name.padEnd(20)} ${Math.round(bytes / 1000)} kB, ${Math.round(packed / 1000)} kB gzip`);
}
