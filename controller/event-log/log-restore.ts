import { copyFile, mkdir, readFile, rename, rm, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { Clock, Random } from "@servofleet/runtime/clock";
import { acquireLockFile, LockHeld } from "@servofleet/runtime/lock-file";
import { ARCHIVE_DIRECTORY } from "@servofleet/runtime/log-archives";
import { LOG_FILE, type LogMeta, SELECT_LOG_META } from "@servofleet/runtime/log-schema";
import { SqliteDatabase } from "@servofleet/runtime/sqlite";
import { syncPath } from "./archive-file.ts";
import { backedUpLog, copyArchives, copyPublicKeys, notGood } from "./log-backup.ts";
import { LogCopyError } from "./log-copy-error.ts";
import { readyTables } from "./log-database.ts";
import { writeWhole } from "./log-key.ts";
import { type LogVerification, verifyLog } from "./log-verify.ts";

/** While it is there no log is opened for writing: a half restored box must not begin a new one. */
export const RESTORE_MARK = "restore-under-way.json";
const LOG_PARTS = [LOG_FILE, `${LOG_FILE}-wal`, `${LOG_FILE}-shm`, ARCHIVE_DIRECTORY];
const STAGE = "restoring";

export interface RestoreOptions {
  /** What `backUpLog` made. */
  readonly backup: string;
  /** Data directory of the box; the box must not run. */
  readonly directory: string;
  /** A log that stands there is moved aside instead of refused. */
  readonly replace: boolean;
  /** PEM text; else the keys in the backup are trusted. */
  readonly publicKeys?: string;
  readonly clock: Clock;
  readonly random: Random;
  /** Called after each step, for tests that end the process there. */
  readonly onStep?: (step: "staged" | "moved-aside" | "archives-placed" | "placed") => void;
}

export interface Restored {
  readonly logId: string;
  readonly position: number;
  /** Where the former log is now. */
  readonly movedTo: string | null;
  readonly verification: LogVerification;
}

/**
 * Puts a verified backup in the place of the log, under a new log id, so that every follower notices: read models, streams
 * and NATS copies of the former log begin anew. The writer epoch rises above the former log's. May be run again when it
 * was interrupted. Rejects with LogCopyError, SqliteError or LogReaderError.
 */
export async function restoreLog(options: RestoreOptions): Promise<Restored> {
  const { backup, directory, clock, publicKeys } = options;
  const source = await backedUpLog(backup);
  await mkdir(directory, { recursive: true, mode: 0o770 });
  const lock = await acquireLockFile(join(directory, "events.lock")).catch((error: unknown) => {
    if (!(error instanceof LockHeld)) throw error;
    throw new LogCopyError("in-use", "a controller writes here", error.facts, "stop the box, then restore");
  });
  try {
    await refuseToOverwrite(options);
    const verification = await verifyLog(source, clock, publicKeys === undefined ? {} : { publicKeys });
    if (!verification.ok) throw notGood(source, verification);
    return await replaceLog(options, source, verification);
  } finally {
    await lock.release();
  }
}

async function replaceLog(options: RestoreOptions, source: string, verification: LogVerification): Promise<Restored> {
  const { directory, random, onStep } = options;
  const stage = join(directory, STAGE);
  const box = (verification.logId ?? "box").replace(/-[0-9a-f]{12}$/, "");
  const logId = `${box}-${Buffer.from(random.bytes(6)).toString("hex")}`;
  const former = await formerMeta(join(directory, LOG_FILE));
  await rm(stage, { recursive: true, force: true });
  await mkdir(join(stage, ARCHIVE_DIRECTORY), { recursive: true, mode: 0o770 });
  await copyFile(source, join(stage, LOG_FILE));
  await copyArchives(join(stage, LOG_FILE), dirname(source));
  await giveIdentity(
    join(stage, LOG_FILE),
    logId,
    Math.max(former?.epoch ?? 0, verification.epoch ?? 0) + 1,
    options.clock,
  );
  await copyPublicKeys(dirname(source), directory);
  for (const path of [join(stage, LOG_FILE), join(stage, ARCHIVE_DIRECTORY), stage]) await syncPath(path);
  onStep?.("staged");
  await writeWhole(join(directory, RESTORE_MARK), `${JSON.stringify({ backup: options.backup, logId })}\n`, 0o640);
  const aside = join(directory, `replaced-by-${logId}`);
  const movedTo = (await moveParts(directory, aside)) ? aside : null;
  onStep?.("moved-aside");
  await rename(join(stage, ARCHIVE_DIRECTORY), join(directory, ARCHIVE_DIRECTORY));
  onStep?.("archives-placed");
  await rename(join(stage, LOG_FILE), join(directory, LOG_FILE));
  await syncPath(directory);
  onStep?.("placed");
  await rm(join(directory, RESTORE_MARK));
  await rm(stage, { recursive: true, force: true });
  await syncPath(directory);
  return { logId, position: verification.newestPosition, movedTo, verification };
}

async function refuseToOverwrite({ directory, replace }: RestoreOptions): Promise<void> {
  const interrupted = await isThere(join(directory, RESTORE_MARK));
  if (replace || interrupted || !(await isThere(join(directory, LOG_FILE)))) return;
  throw new LogCopyError(
    "taken",
    `there is a log in ${directory}`,
    { directory },
    "with --replace it is moved aside, and nothing of it is deleted",
  );
}

/** Gives the staged log its new identity. The chain goes on where it was: it begins with the first id the log ever had. */
async function giveIdentity(file: string, logId: string, epoch: number, clock: Clock): Promise<void> {
  const database = await SqliteDatabase.open(file);
  try {
    await readyTables(database, logId);
    await database.batch([
      { sql: "UPDATE log_meta SET log_id = ?1, writer_epoch = ?2", params: [logId, epoch] },
      {
        sql: `INSERT INTO log_lineage(serial, log_id, after_position, wall_us)
          SELECT (SELECT max(serial) + 1 FROM log_lineage), ?1, seq, ?2 FROM sqlite_sequence WHERE name = 'events'`,
        params: [logId, clock.wallUs()],
      },
    ]);
  } finally {
    await database.close();
  }
}

/** Of the log that is to be replaced, when it can be read. */
async function formerMeta(file: string): Promise<LogMeta | undefined> {
  if (!(await isThere(file))) return undefined;
  try {
    const database = await SqliteDatabase.open(file, { readOnly: true });
    return await database.get<LogMeta>(SELECT_LOG_META).finally(() => database.close());
  } catch {
    // Why it is replaced, perhaps. Its epoch is then not known.
    return undefined;
  }
}

/** The write-ahead log goes with its file: beside another one it would destroy that. */
async function moveParts(directory: string, aside: string): Promise<boolean> {
  const there = [];
  for (const part of LOG_PARTS) if (await isThere(join(directory, part))) there.push(part);
  if (there.length === 0) return false;
  await mkdir(aside, { mode: 0o770 });
  for (const part of there) await rename(join(directory, part), join(aside, part));
  for (const path of [aside, directory]) await syncPath(path);
  return true;
}

const isThere = (path: string): Promise<boolean> =>
  stat(path).then(
    () => true,
    () => false,
  );

/** What an interrupted restore was about, or undefined. */
export const restoreUnderWay = (directory: string): Promise<string | undefined> =>
  readFile(join(directory, RESTORE_MARK), "utf8").catch(() => undefined);
