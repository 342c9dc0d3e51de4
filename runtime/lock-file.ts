import { readFile, writeFile } from "node:fs/promises";
import { SqliteDatabase, SqliteError } from "./sqlite.ts";

/** Somebody else holds the lock. */
export class LockHeld extends Error {
  override readonly name = "LockHeld";
  readonly code = "lock-held";
  readonly facts: Readonly<Record<string, unknown>>;
  readonly hint: string;
  constructor(facts: Readonly<Record<string, unknown>>, hint: string) {
    super(`lock-held: ${hint}`);
    this.facts = facts;
    this.hint = hint;
  }
}

/** A held lock; the kernel frees it with the process. */
export interface LockFile {
  /** Lets go. Idempotent. */
  release(): Promise<void>;
}

/**
 * Holds `file` for this process until it is released or the process ends, however it ends: an SQLite EXCLUSIVE transaction
 * on an empty database is a kernel lock, so there is no stale lock and no process id to guess by. Local disks only.
 * Rejects with LockHeld.
 */
export async function acquireLockFile(file: string): Promise<LockFile> {
  const database = await SqliteDatabase.open(file);
  const ownerFile = `${file}.owner`;
  try {
    await database.exec("BEGIN EXCLUSIVE");
  } catch (error) {
    await database.close();
    if (!(error instanceof SqliteError) || error.code !== "SQLITE_BUSY") throw error;
    const owner = await readFile(ownerFile, "utf8").catch(() => "unknown");
    throw new LockHeld({ file, owner }, `process ${owner} already writes here: stop it first`);
  }
  // Only for the text above: the lock itself does not depend on it.
  await writeFile(ownerFile, String(process.pid)).catch(() => undefined);
  return { release: () => database.close() };
}
