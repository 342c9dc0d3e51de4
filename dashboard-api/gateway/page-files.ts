import { readdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, extname, join } from "node:path";

const TYPES: Record<string, string> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".svg": "image/svg+xml",
};

export interface PageFile {
  readonly body: Buffer;
  readonly type: string;
}

/** The dashboard's files by URL path, read once: the page comes from the box itself and needs nothing from outside. */
export function readPageFiles(directory: string): ReadonlyMap<string, PageFile> {
  const files = new Map<string, PageFile>();
  for (const name of readdirSync(directory)) {
    const type = TYPES[extname(name)];
    if (type)
      files.set(name === "index.html" ? "/" : `/assets/${name}`, { body: readFileSync(join(directory, name)), type });
  }
  const uPlot = dirname(createRequire(import.meta.url).resolve("uplot/package.json"));
  for (const [name, type] of [
    ["uPlot.esm.js", TYPES[".js"]],
    ["uPlot.min.css", TYPES[".css"]],
  ] as const) {
    files.set(`/assets/${name}`, { body: readFileSync(join(uPlot, "dist", name)), type: type ?? "text/plain" });
  }
  return files;
}
