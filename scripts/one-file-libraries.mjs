#!/usr/bin/env node
// Libraries that come as hundreds of small modules, one file each: every module costs each process of a box its record,
// its source and its place in the compile cache. bin/one-file-libraries.ts lets the services load these files instead.
// Only memory depends on it: where rolldown is not installed, or the folder cannot be written, the packages are loaded.

import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, realpathSync, renameSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { isModuleNamespaceObject } from "node:util/types";

const load = createRequire(import.meta.url);
const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));
const MODULES = join(ROOT, "node_modules");
const FOLDER = join(MODULES, ".cache", "servofleet-libraries");
/** What the services read: what the files were made of, and where each specifier is. */
const MAP = join(FOLDER, "map.json");
const BUNDLER = "rolldown";
/** By package, since what one specifier knows the others of its package must share. */
const LIBRARIES = {
  typebox: ["typebox", "typebox/compile", "typebox/value"],
  yaml: ["yaml"],
  "prom-client": ["prom-client"],
};
const BUILD_LIMIT_MS = 60_000;

/** Makes the files where they are missing or of other versions; says one line when that does not work. Never throws. */
export function ensureOneFileLibraries(node) {
  try {
    if (!existsSync(join(MODULES, BUNDLER)) || madeOf() === wanted()) return;
    const own = fileURLToPath(import.meta.url);
    const run = spawnSync(node, [own], { cwd: ROOT, encoding: "utf8", timeout: BUILD_LIMIT_MS });
    if (run.status === 0) return;
    tell(run.stderr?.split("\n").find((line) => line.includes("Error")) ?? run.error?.message ?? run.signal);
  } catch (error) {
    tell(error.message);
  }
}

const tell = (why) =>
  process.stderr.write(`some libraries stay as they came, which costs memory and nothing else: ${why}\n`);

function wanted() {
  const version = (name) => JSON.parse(readFileSync(join(MODULES, name, "package.json"), "utf8")).version;
  return [BUNDLER, ...Object.keys(LIBRARIES)].map((name) => `${name} ${version(name)}`).join(", ");
}

/** Undefined also for a map that was cut off: it is made again. */
function madeOf() {
  try {
    return JSON.parse(readFileSync(MAP, "utf8")).madeOf;
  } catch {
    return undefined;
  }
}

async function build() {
  const { rolldown } = await import("rolldown");
  const specifiers = Object.values(LIBRARIES).flat();
  const sources = new Map();
  for (const specifier of specifiers) sources.set(`\0${specifier}`, entryOf(specifier));
  const entries = {
    name: "entries",
    resolveId: (id) => (sources.has(id) ? id : undefined),
    load: (id) => sources.get(id),
  };
  const made = wanted();
  // A folder of their own for each set of versions: a service that is just starting finds what its map says.
  const folder = createHash("sha256").update(made).digest("hex").slice(0, 12);
  const fileOf = (specifier) => `${specifier.replaceAll("/", "_")}.mjs`;
  const bundle = await rolldown({
    input: Object.fromEntries(specifiers.map((specifier) => [fileOf(specifier), `\0${specifier}`])),
    platform: "node",
    cwd: ROOT,
    plugins: [entries],
  });
  await bundle.write({
    dir: join(FOLDER, folder),
    format: "esm",
    entryFileNames: "[name]",
    chunkFileNames: "[name]-[hash].mjs",
    // Names stay: a stack trace and a class's name are to be read.
    minify: { compress: true, mangle: false, codegen: { removeWhitespace: true } },
  });
  const files = Object.fromEntries(specifiers.map((specifier) => [specifier, `${folder}/${fileOf(specifier)}`]));
  const fresh = `${MAP}.${process.pid}`;
  mkdirSync(FOLDER, { recursive: true });
  writeFileSync(fresh, JSON.stringify({ madeOf: made, files }));
  renameSync(fresh, MAP);
}

/** The very names that Node shows of the package, also where it is CommonJS: then what it exports is the default. */
function entryOf(specifier) {
  const exported = load(specifier);
  const names = new Set(Object.keys(exported));
  if (!isModuleNamespaceObject(exported)) names.add("default");
  // Added by require() to an ES module that has a default.
  names.delete("__esModule");
  return `export { ${[...names].join(", ")} } from ${JSON.stringify(specifier)};`;
}

if (process.argv[1] && fileURLToPath(import.meta.url) === realpathSync(process.argv[1])) await build();
