import { existsSync } from "node:fs";
import { join } from "node:path";
import { type Clock, sleep } from "@servofleet/runtime/clock";
import { acquireLockFile, type LockFile, LockHeld } from "@servofleet/runtime/lock-file";
import type { DataPaths } from "./data-paths.ts";

/** How long a box whose supervisor was killed may take to bring its axes to rest before a new one gives up waiting. */
export const PREDECESSOR_LIMIT_MS = 15_000;
const LOOK_EVERY_MS = 100;

/** Another box, or another controller, works on the data directory; nothing of it was touched. */
export class BoxInUseError extends Error {
  override readonly name = "BoxInUseError";
  readonly code = "box-in-use";
  readonly facts: Readonly<Record<string, unknown>>;
  readonly hint = "stop it first (Ctrl-C there), or choose another directory with SERVOFLEET_DATA";
  constructor(data: string, owner: string, what: string) {
    super(`process ${owner} already runs ${what} on ${data}`);
    this.facts = { data, owner };
  }
}

/**
 * One process of a kind per data directory: a second one would take the first one's socket away. Keep what is returned.
 * @throws BoxInUseError
 */
export const lockService = (paths: DataPaths, name: "dashboard"): Promise<LockFile> =>
  take(join(paths.run, `${name}.lock`), paths.data, `a ${name}`);

/**
 * One supervisor per data directory, held from before its first file is written: a second one would take the first one's
 * sockets and lines away. The kernel frees it with the process. What a killed supervisor left behind is waited for.
 * @throws BoxInUseError
 */
export async function lockBox(paths: DataPaths, clock: Clock, note: (text: string) => void): Promise<LockFile> {
  const lock = await take(join(paths.run, "supervisor.lock"), paths.data);
  try {
    await waitForLog(paths, clock, note);
    return lock;
  } catch (error) {
    await lock.release();
    throw error;
  }
}

async function waitForLog(paths: DataPaths, clock: Clock, note: (text: string) => void): Promise<void> {
  const file = join(paths.log, "events.lock");
  if (!existsSync(file)) return;
  const untilMs = clock.monotonicMs() + PREDECESSOR_LIMIT_MS;
  for (let told = false; ; told = true) {
    try {
      await (await take(file, paths.data)).release();
      return;
    } catch (error) {
      if (!(error instanceof BoxInUseError) || clock.monotonicMs() > untilMs) throw error;
      if (!told) note(`${error.message}: waiting until it has stopped its axes`);
    }
    await sleep(clock, LOOK_EVERY_MS);
  }
}

async function take(file: string, data: string, what = "a box"): Promise<LockFile> {
  try {
    return await acquireLockFile(file);
  } catch (error) {
    throw error instanceof LockHeld ? new BoxInUseError(data, String(error.facts["owner"]), what) : error;
  }
}
