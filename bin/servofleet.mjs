#!/usr/bin/env node
// What `npx servofleet` starts, on whatever Node (>= 20) the machine has: makes the native parts ready, then runs the
// command line on the pinned Node 24 and ends with its code.

import { spawn } from "node:child_process";
import { constants } from "node:os";
import { fileURLToPath } from "node:url";
import { ensureNativeParts, NativePartsError } from "../scripts/native-parts.mjs";

// serialport, sqlite3 and password hashing share libuv's pool; with the default of 4 a serial write can wait for a login.
const THREADS_MIN = 16;
const FORWARDED = ["SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT"];

function run(node) {
  const threads = Math.max(THREADS_MIN, Number(process.env.UV_THREADPOOL_SIZE) || 0);
  const entry = fileURLToPath(new URL("./servofleet.ts", import.meta.url));
  // As bin/node-settings.ts has it for the services, for whatever this process becomes.
  const cache = fileURLToPath(new URL("../node_modules/.cache/servofleet", import.meta.url));
  const child = spawn(node, ["--max-semi-space-size=1", "--heap-growing-percent=20", entry, ...process.argv.slice(2)], {
    stdio: "inherit",
    env: { NODE_COMPILE_CACHE: cache, ...process.env, UV_THREADPOOL_SIZE: String(threads) },
  });
  // A terminal sends Ctrl-C to both processes, `kill` only to this one: pass every signal on (the command line counts
  // repeats within one second once) and stay until the child has stopped its axes.
  for (const signal of FORWARDED) process.on(signal, () => child.kill(signal));
  child.on("error", (error) => {
    process.stderr.write(`cannot start ${node}: ${error.message}\n  Run \`npm ci\` again.\n`);
    process.exitCode = 1;
  });
  child.on("exit", (code, signal) => {
    process.exit(code ?? 128 + (signal === null ? 0 : constants.signals[signal]));
  });
}

try {
  run(ensureNativeParts());
} catch (error) {
  if (!(error instanceof NativePartsError)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
}
