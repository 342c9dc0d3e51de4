import { existsSync } from "node:fs";
import { join } from "node:path";
import { acquireLockFile, type LockFile, LockHeld } from "@servofleet/runtime/lock-file";
import { dataPaths } from "../data-paths.ts";

/** A box runs on the data directory: its bridge may hold the line, and two masters talk into each other's answers. */
export class BoxRunsError extends Error {
  override readonly name = "BoxRunsError";
  readonly code = "box-in-use";
  readonly facts: Readonly<Record<string, unknown>>;
  readonly hint = "stop it first (Ctrl-C there; that stops its axes), then scan";
  constructor(data: string, owner: string, link: string) {
    super(`process ${owner} runs a box on ${data}, and ${link} belongs to it; nothing was sent`);
    this.facts = { data, owner, link };
  }
}

/**
 * Keeps a box from starting while the scan runs, and refuses the scan where one runs already. A data directory that was
 * never used is left as it is: null.
 * @throws BoxRunsError
 */
export async function guardBox(data: string, link: string): Promise<LockFile | null> {
  const file = join(dataPaths(data).run, "supervisor.lock");
  if (!existsSync(file)) return null;
  try {
    return await acquireLockFile(file);
  } catch (error) {
    throw error instanceof LockHeld ? new BoxRunsError(data, String(error.facts["owner"]), link) : error;
  }
}
