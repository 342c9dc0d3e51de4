import { readFileSync } from "node:fs";
import { registerHooks } from "node:module";

/** Written by scripts/one-file-libraries.mjs. */
const FOLDER = new URL("../node_modules/.cache/servofleet-libraries/", import.meta.url);

interface LibraryMap {
  readonly files: Readonly<Record<string, string>>;
}

/**
 * From now on this process loads the libraries that come as hundreds of modules as one file each, where those files have
 * been made: it takes a third of the memory (docs/decisions/0014-one-file-libraries.md). Call it before the first of them
 * is imported. The same libraries otherwise: without the files the packages are loaded.
 */
export function useOneFileLibraries(): void {
  const files = madeFiles();
  if (files.size === 0) return;
  registerHooks({
    resolve(specifier, context, next) {
      const url = files.get(specifier);
      return url === undefined ? next(specifier, context) : { url, format: "module", shortCircuit: true };
    },
  });
}

function madeFiles(): ReadonlyMap<string, string> {
  try {
    const { files } = JSON.parse(readFileSync(new URL("map.json", FOLDER), "utf8")) as LibraryMap;
    const urlOf = (file: string) => new URL(file, FOLDER).href;
    return new Map(Object.entries(files).map(([specifier, file]) => [specifier, urlOf(file)]));
  } catch {
    // Not made yet, or not readable for this user: the packages do the same.
    return new Map();
  }
}
