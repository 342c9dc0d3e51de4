import { constants } from "node:fs";
import { copyFile, mkdir, readdir, readFile, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { Clock } from "@servofleet/runtime/clock";
import { ARCHIVE_DIRECTORY } from "@servofleet/runtime/log-archives";
import { LOG_FILE } from "@servofleet/runtime/log-schema";
import { SqliteDatabase } from "@servofleet/runtime/sqlite";
import { syncPath } from "./archive-file.ts";
import { LogCopyError } from "./log-copy-error.ts";
import { LOG_PUBLIC_KEY_FILE, writeWhole } from "./log-key.ts";
import { archivePath } from "./log-rows.ts";
import { type LogVerification, verifyLog } from "./log-verify.ts";

/** Written last: a backup without it is not finished. */
export const BACKUP_FILE = "backup.json";

/**
 * Copies the log at `file`, its archives and its public keys into the new directory `target`, beside a running writer,
 * and verifies the copy. The private key stays where it is. Rejects with LogCopyError, SqliteError or LogReaderError.
 */
export async function backUpLog(file: string, target: string, clock: Clock): Promise<LogVerification> {
  if ((await readdir(target).catch(() => [])).length > 0)
    throw new LogCopyError("taken", `${target} is not empty`, { target }, "name a new directory for each backup");
  await mkdir(join(target, ARCHIVE_DIRECTORY), { recursive: true, mode: 0o770 });
  const copy = join(target, LOG_FILE);
  // A snapshot in one read transaction: what is sealed while it runs is still in it, on one side of the border.
  const database = await SqliteDatabase.open(file, { readOnly: true });
  await database.run("VACUUM INTO ?1", [copy]).finally(() => database.close());
  await syncPath(copy);
  await copyArchives(copy, dirname(file));
  await copyPublicKeys(dirname(file), target);
  const found = await verifyLog(copy, clock);
  if (!found.ok) throw notGood(copy, found);
  await writeWhole(join(target, BACKUP_FILE), `${JSON.stringify(found, null, 2)}\n`, 0o640);
  for (const path of [join(target, ARCHIVE_DIRECTORY), target, dirname(target)]) await syncPath(path);
  return found;
}

/** Brings what the log at `copy` calls its archives from the directory of another log. */
export async function copyArchives(copy: string, from: string): Promise<void> {
  const database = await SqliteDatabase.open(copy, { readOnly: true });
  const has = await database.get("SELECT 1 FROM sqlite_schema WHERE name = 'log_archives'");
  const archives = has ? await database.all<{ file: string }>("SELECT file FROM log_archives") : [];
  await database.close();
  for (const { file } of archives)
    for (const name of [file, `${file}.json`]) {
      const to = archivePath(copy, name);
      await copyFile(join(from, ARCHIVE_DIRECTORY, name), to, constants.COPYFILE_FICLONE);
      await syncPath(to);
    }
}

/** Every key that one directory trusts, the other trusts, too. */
export async function copyPublicKeys(from: string, to: string): Promise<void> {
  const [theirs, ours] = await Promise.all(
    [from, to].map((directory) => readFile(join(directory, LOG_PUBLIC_KEY_FILE), "utf8").catch(() => "")),
  );
  if (theirs && !ours?.includes(theirs))
    await writeWhole(join(to, LOG_PUBLIC_KEY_FILE), `${ours ?? ""}${theirs}`, 0o644);
}

/** Says why a copy must not be used. */
export const notGood = (file: string, found: LogVerification): LogCopyError =>
  new LogCopyError(
    "not-good",
    `${file} is not good: ${found.firstBad?.flaw} at position ${found.firstBad?.position}: ${found.firstBad?.detail}`,
    { file, ...found.firstBad },
    "use another copy of the log",
  );

/** The log of a backup directory. Rejects with LogCopyError (no-log) for an unfinished one. */
export async function backedUpLog(directory: string): Promise<string> {
  const finished = await stat(join(directory, BACKUP_FILE)).catch(() => undefined);
  if (finished) return join(directory, LOG_FILE);
  throw new LogCopyError(
    "no-log",
    `there is no finished backup in ${directory}`,
    { directory },
    "name a directory that `servofleet log backup` made",
  );
}
