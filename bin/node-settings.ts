import { fileURLToPath } from "node:url";

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Compiled code, types already stripped: without it every process carries the stripper (a WebAssembly module) and the
 * compiler's leavings, some 25 MiB each. It lies with the packages and goes with them, out of reach of other users.
 */
const COMPILE_CACHE = fileURLToPath(new URL("../node_modules/.cache/servofleet", import.meta.url));

/** serialport, sqlite3 and zlib share libuv's pool; with its default of 4 they wait for each other. */
const THREADS_MIN = 16;

/** Each thread of that pool would keep an arena of its own. */
const ARENAS_MAX = 2;

/**
 * Flags of Node for a process of a box: the young generation grows to 48 MiB by default and is never given back. A small
 * one is collected more often and for a shorter time, which is what a line wants anyway. The old generation may grow by a
 * fifth before it is collected, not to twice its size and more: a box at 100,000 values a second took a quarter less memory.
 */
export const NODE_FLAGS: readonly string[] = ["--max-semi-space-size=1", "--heap-growing-percent=20"];

/** The environment of a process of a box; what the user has set himself stays. */
export const nodeEnvironment = (env: Environment): Record<string, string | undefined> => ({
  NODE_COMPILE_CACHE: COMPILE_CACHE,
  MALLOC_ARENA_MAX: String(ARENAS_MAX),
  ...env,
  UV_THREADPOOL_SIZE: String(Math.max(THREADS_MIN, Number(env["UV_THREADPOOL_SIZE"]) || 0)),
});
