import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, lstatSync, mkdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { promisify } from "node:util";
import { LineError } from "./line-error.ts";

const COMPILER = "cc";
const COMPILE_LIMIT_MS = 60_000;
const FLAGS = ["-std=c11", "-O2", "-Wall", "-Wextra", "-Werror"];
const OWNER_ONLY = 0o700;
const WRITABLE_BY_OTHERS = 0o022;

/**
 * The path of the program that `source` (one C file) makes, compiled with the machine's own compiler when it is not there
 * yet (`moreFlags`: `-shared` for a library). It is kept per user and content, so that each source is compiled once. Throws LineError: `no-compiler` where there
 * is none, `not-compiled` with the compiler's words (a missing header for one).
 */
export async function compiledProgram(
  source: string,
  libraries: readonly string[] = [],
  moreFlags: readonly string[] = [],
): Promise<string> {
  const text = readFileSync(source);
  const key = createHash("sha256")
    .update(text)
    .update([...FLAGS, ...moreFlags, ...libraries].join(" "))
    .digest("hex")
    .slice(0, 16);
  const program = join(ownDirectory(), `${basename(source, ".c")}-${key}`);
  if (existsSync(program)) return program;
  // Built beside and renamed: another process that builds the same never runs a half-written file.
  const unfinished = `${program}.${process.pid}`;
  const words = [...FLAGS, ...moreFlags, "-o", unfinished, source, ...libraries.map((name) => `-l${name}`)];
  try {
    await promisify(execFile)(COMPILER, words, { timeout: COMPILE_LIMIT_MS });
  } catch (cause) {
    rmSync(unfinished, { force: true });
    throw refusal(source, cause as NodeJS.ErrnoException & { stderr?: string });
  }
  renameSync(unfinished, program);
  return program;
}

function refusal(source: string, cause: NodeJS.ErrnoException & { stderr?: string }): LineError {
  if (cause.code === "ENOENT") {
    const hint = `there is no C compiler (${COMPILER}) on this machine: install gcc and libc6-dev (Debian: apt install gcc libc6-dev)`;
    return new LineError("no-compiler", { compiler: COMPILER, source: basename(source) }, hint);
  }
  const said = (cause.stderr ?? String(cause)).trim().split("\n").slice(0, 3).join(" | ");
  return new LineError("not-compiled", { source: basename(source), said }, "the C compiler refused the source");
}

/** Only we may write there: what lies in it is run. */
function ownDirectory(): string {
  const directory = join(tmpdir(), `servofleet-programs-${process.getuid?.() ?? 0}`);
  mkdirSync(directory, { recursive: true, mode: OWNER_ONLY });
  const { uid, mode } = lstatSync(directory);
  if (uid !== process.getuid?.() || (mode & WRITABLE_BY_OTHERS) !== 0)
    throw new LineError("not-compiled", { directory }, "the directory for programs belongs to somebody else");
  return directory;
}
