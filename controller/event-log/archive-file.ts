import { chmod, mkdir, open, rename, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { type Clock, sleep } from "@servofleet/runtime/clock";
import { ARCHIVE_DIRECTORY, type ArchiveEntry } from "@servofleet/runtime/log-archives";
import {
  canonicalRow,
  chainHash,
  LOG_COLUMNS,
  LOG_FORMAT,
  LOG_TABLES,
  type LogRow,
} from "@servofleet/runtime/log-schema";
import { type ArchiveManifest, manifestText, type UnsignedManifest } from "@servofleet/runtime/log-signature";
import { SqliteDatabase } from "@servofleet/runtime/sqlite";
import { type LogSigner, writeWhole } from "./log-key.ts";
import { LogOpenError } from "./log-open-error.ts";
import { fileDigest } from "./log-rows.ts";

/** Small pages with pauses: the controller's loop and disk belong to motion. */
const COPY_ROWS = 2000;
const CHECK_ROWS = 200;
const PAUSE_MS = 5;
const READ_ONLY = 0o440;
const MANIFEST_MODE = 0o644;

/** Which rows of which log go into an archive. */
export interface ArchiveWish {
  /** The hot file. */
  readonly hot: string;
  readonly logId: string;
  readonly first: number;
  readonly last: number;
  /** Chain hash before the first row. */
  readonly previousHash: string;
}

/** A finished file that nobody knows of yet. */
export interface MadeArchive extends ArchiveEntry {
  /** Newest version of every stream in it. */
  readonly streams: readonly { readonly stream: string; readonly version: number }[];
  readonly manifest: ArchiveManifest;
}

export interface ArchiveTools {
  readonly clock: Clock;
  readonly signer: LogSigner;
  /** Called after each step, for tests that end the process there. */
  readonly onStep?: (step: SealStep) => void;
}
/** The steps of sealing, in order. Up to `listed` the hot file holds every row; from then on the archive does. */
export type SealStep = "copied" | "checked" | "file-named" | "manifest-named" | "listed" | "some-deleted" | "deleted";

/**
 * Copies rows into a file of their own, checks what was written, signs its manifest and gives both their names. What an
 * interrupted run left is made anew. Rejects with SqliteError, or LogOpenError (log-damaged) when the copy does not fit.
 */
export async function makeArchive(wish: ArchiveWish, tools: ArchiveTools): Promise<MadeArchive> {
  const directory = join(dirname(wish.hot), ARCHIVE_DIRECTORY);
  await mkdir(directory, { recursive: true, mode: 0o770 });
  const name = `events-${String(wish.first).padStart(12, "0")}-${String(wish.last).padStart(12, "0")}.db`;
  const partial = join(directory, `${name}.partial`);
  await rm(partial, { force: true });
  const database = await SqliteDatabase.open(partial);
  let checked: Awaited<ReturnType<typeof check>>;
  try {
    await copy(database, wish, tools.clock);
    tools.onStep?.("copied");
    checked = await check(database, wish, tools.clock);
  } finally {
    await database.close();
  }
  await chmod(partial, READ_ONLY);
  await syncPath(partial);
  const { streams, lastHash, firstWallUs, lastWallUs } = checked;
  const unsigned: UnsignedManifest = {
    logId: wish.logId,
    firstPosition: wish.first,
    lastPosition: wish.last,
    previousHash: wish.previousHash,
    lastHash,
    firstWallUs,
    lastWallUs,
    ...(await fileDigest(partial)),
    keyId: tools.signer.keyId,
  };
  const manifest = { ...unsigned, signature: tools.signer.sign(manifestText(unsigned)) };
  tools.onStep?.("checked");
  const file = join(directory, name);
  await rename(partial, file);
  tools.onStep?.("file-named");
  await writeWhole(`${file}.json`, `${JSON.stringify(manifest, null, 2)}\n`, MANIFEST_MODE);
  for (const path of [directory, dirname(directory)]) await syncPath(path);
  tools.onStep?.("manifest-named");
  const { firstPosition, lastPosition, previousHash } = manifest;
  return { firstPosition, lastPosition, previousHash, lastHash, file: name, streams, manifest };
}

/** The rows go from file to file inside SQLite, off the loop. */
async function copy(database: SqliteDatabase, wish: ArchiveWish, clock: Clock): Promise<void> {
  // Until it has its name the file may be lost: it is synced once, as a whole.
  await database.exec(`PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA mmap_size = 0; ${LOG_TABLES}`);
  await database.run("ATTACH ?1 AS hot", [wish.hot]);
  await database.exec(`INSERT INTO log_meta(only, log_id, writer_epoch, format)
      SELECT 1, log_id, writer_epoch, ${LOG_FORMAT} FROM hot.log_meta;
    INSERT INTO log_lineage SELECT * FROM hot.log_lineage;`);
  await database.run("INSERT INTO log_checkpoints SELECT * FROM hot.log_checkpoints WHERE position BETWEEN ?1 AND ?2", [
    wish.first,
    wish.last,
  ]);
  for (let from = wish.first; from <= wish.last; from += COPY_ROWS) {
    const to = Math.min(wish.last, from + COPY_ROWS - 1);
    await database.run("INSERT INTO events SELECT * FROM hot.events WHERE position BETWEEN ?1 AND ?2", [from, to]);
    await sleep(clock, PAUSE_MS);
  }
  await database.exec("DETACH hot");
}

/** Reads back what was written: every row must stand in the chain. */
async function check(database: SqliteDatabase, wish: ArchiveWish, clock: Clock) {
  let previous = { position: wish.first - 1, hash: wish.previousHash };
  let firstWallUs: number | undefined;
  let lastWallUs = 0;
  while (previous.position < wish.last) {
    const rows = await database.all<LogRow>(
      `SELECT ${LOG_COLUMNS} FROM events WHERE events.position > ?1 ORDER BY events.position LIMIT ${CHECK_ROWS}`,
      [previous.position],
    );
    for (const row of rows) {
      const fits = row.position === previous.position + 1 && chainHash(previous.hash, canonicalRow(row)) === row.hash;
      if (!fits) throw unfit(previous.position + 1);
      previous = row;
      firstWallUs ??= row.wallUs;
      lastWallUs = row.wallUs;
    }
    if (rows.length === 0) throw unfit(previous.position + 1);
    await sleep(clock, PAUSE_MS);
  }
  const [sound] = await database.all<{ quick_check: string }>("PRAGMA quick_check(1)");
  if (sound?.quick_check !== "ok") throw unfit(wish.first);
  const streams = await database.all<{ stream: string; version: number }>(
    "SELECT stream, max(version) AS version FROM events GROUP BY stream",
  );
  return { streams, lastHash: previous.hash, firstWallUs: firstWallUs ?? lastWallUs, lastWallUs };
}

const unfit = (position: number): LogOpenError =>
  new LogOpenError(
    "log-damaged",
    { position },
    `position ${position} does not fit the chain, so nothing was archived: run "servofleet log verify"`,
  );

/** Brings a file, or a directory's names, to the disk. */
export async function syncPath(path: string): Promise<void> {
  const handle = await open(path, "r");
  await handle.sync().finally(() => handle.close());
}
