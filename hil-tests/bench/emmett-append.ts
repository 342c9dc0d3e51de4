import { execFile } from "node:child_process";
import { mkdir, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

/** Below our own node_modules, so that it finds the sqlite3 that the log uses. */
const HOUSE = fileURLToPath(new URL("../../node_modules/.cache/servofleet-bench/", import.meta.url));
const MAIN = fileURLToPath(new URL("./emmett-main.ts", import.meta.url));
const EMMETT = "@event-driven-io/emmett-sqlite";
/** It names sqlite3 5 as its peer and runs with 6; what it needs besides is named here, or npm would fetch a sqlite3 of its own. */
const PACKAGES = [`${EMMETT}@0.42.4`, "async-retry@1.3.3", "uuid@11.1.0"];
const LIMIT_MS = 60_000;

/** `busy`: appends that it refused with SQLITE_BUSY and that were asked again. */
export interface EmmettFigures {
  readonly perS: number;
  readonly busy: number;
}

/**
 * emmett-sqlite, the nearest relative of our log in TypeScript, in a process of its own: one append after the other, since
 * it has no group commit and answers SQLITE_BUSY to parallel ones. Null where it is not there and npm cannot get it.
 */
export async function emmettAppender(): Promise<
  ((directory: string, events: number) => Promise<EmmettFigures>) | null
> {
  const entry = found() ?? (await fetched());
  if (entry === null) return null;
  return async (directory, events) => {
    const words = ["--no-warnings", MAIN, entry, directory, String(events)];
    const { stdout } = await promisify(execFile)(process.execPath, words, { timeout: LIMIT_MS });
    return JSON.parse(stdout.trimEnd().split("\n").at(-1) ?? "") as EmmettFigures;
  };
}

function found(): string | null {
  try {
    return createRequire(join(HOUSE, "package.json"))
      .resolve(EMMETT)
      .replace(/\.cjs$/, ".js");
  } catch {
    return null;
  }
}

async function fetched(): Promise<string | null> {
  await mkdir(HOUSE, { recursive: true });
  await writeFile(join(HOUSE, "package.json"), '{ "private": true }\n');
  const words = ["install", "--legacy-peer-deps", "--ignore-scripts", "--no-audit", "--no-fund", ...PACKAGES];
  try {
    await promisify(execFile)("npm", words, { cwd: HOUSE, timeout: LIMIT_MS });
  } catch {
    return null;
  }
  return found();
}
