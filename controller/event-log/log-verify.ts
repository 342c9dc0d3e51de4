import type { Clock } from "@servofleet/runtime/clock";
import { LogReader } from "@servofleet/runtime/log-reader";
import {
  canonicalRow,
  chainHash,
  genesisHash,
  LOG_COLUMNS,
  type LogMeta,
  type LogRow,
  SELECT_LOG_META,
} from "@servofleet/runtime/log-schema";
import { SqliteDatabase } from "@servofleet/runtime/sqlite";

const PAGE_ROWS = 1000;

/** What was done to a log, as far as the chain can tell. */
export type LogFlaw =
  /** The row is not the one that was written, but its successor still follows it. */
  | "altered"
  /** Positions are missing in the middle, or at the end. */
  | "deleted"
  /** The row does not follow its predecessor: put in, exchanged, or the chain was written anew from here. */
  | "inserted-or-reordered"
  /** SQLite itself finds the file damaged. */
  | "damaged";

export interface LogVerification {
  readonly ok: boolean;
  readonly logId: string | null;
  readonly epoch: number | null;
  /** Rows whose chain was checked. */
  readonly events: number;
  readonly newestPosition: number;
  /** Hash of the newest good row: kept elsewhere, it also proves the log's end. */
  readonly headHash: string | null;
  readonly firstBad: { readonly position: number; readonly flaw: LogFlaw; readonly detail: string } | null;
}

/**
 * Walks the whole chain of `file` read-only, beside a running writer too, and names the first row that does not fit.
 * Rejects with SqliteError or LogReaderError when there is no log to read in the file.
 */
export async function verifyLog(file: string, clock: Clock): Promise<LogVerification> {
  // The reader is opened first for its checks of format and identity.
  await (await LogReader.open({ file, clock }))?.close();
  const database = await SqliteDatabase.open(file, { readOnly: true });
  try {
    const meta = await database.get<LogMeta>(SELECT_LOG_META);
    return meta ? await walk(database, meta) : { ...NOTHING, firstBad: flaw(0, "damaged", "log_meta is empty") };
  } finally {
    await database.close();
  }
}

const NOTHING: LogVerification = {
  ok: false,
  logId: null,
  epoch: null,
  events: 0,
  newestPosition: 0,
  headHash: null,
  firstBad: null,
};
const flaw = (position: number, kind: LogFlaw, detail: string) => ({ position, flaw: kind, detail });

async function walk(database: SqliteDatabase, meta: LogMeta): Promise<LogVerification> {
  let previous = { position: 0, hash: genesisHash(meta.logId) };
  let firstBad: LogVerification["firstBad"] = null;
  // Taken first: what a running writer adds meanwhile is beyond it.
  const given = await database.get<{ seq: number }>("SELECT seq FROM sqlite_sequence WHERE name = 'events'");
  const versions = new Map<string, number>();
  let page: LogRow[] = [];
  do {
    page = await database.all<LogRow>(
      `SELECT ${LOG_COLUMNS} FROM events WHERE events.position > ?1 ORDER BY events.position LIMIT ${PAGE_ROWS + 1}`,
      [previous.position],
    );
    for (const [i, row] of page.slice(0, PAGE_ROWS).entries()) {
      firstBad = flawOf(previous, row, page[i + 1], versions);
      if (firstBad) break;
      previous = { position: row.position, hash: row.hash };
    }
  } while (!firstBad && page.length > PAGE_ROWS);
  if (!firstBad && previous.position < (given?.seq ?? 0))
    firstBad = flaw(previous.position + 1, "deleted", `the log once reached position ${given?.seq}`);
  return {
    ok: firstBad === null,
    logId: meta.logId,
    epoch: meta.epoch,
    events: previous.position,
    newestPosition: Math.max(previous.position, page.at(-1)?.position ?? 0, given?.seq ?? 0),
    headHash: previous.hash,
    firstBad,
  };
}

function flawOf(
  previous: { readonly position: number; readonly hash: string },
  row: LogRow,
  next: LogRow | undefined,
  versions: Map<string, number>,
): LogVerification["firstBad"] {
  const expected = previous.position + 1;
  if (row.position !== expected) return flaw(expected, "deleted", `after ${previous.position} comes ${row.position}`);
  if (chainHash(previous.hash, canonicalRow(row)) !== row.hash) {
    // The successor was chained to this row's stored hash: if that still holds, only this row's content was touched.
    const followed = next !== undefined && chainHash(row.hash, canonicalRow(next)) === next.hash;
    return followed || next === undefined
      ? flaw(row.position, "altered", "its hash is not that of its content")
      : flaw(row.position, "inserted-or-reordered", "neither it nor its successor follows its predecessor");
  }
  const version = (versions.get(row.stream) ?? 0) + 1;
  versions.set(row.stream, version);
  return row.version === version
    ? null
    : flaw(row.position, "inserted-or-reordered", `${row.stream} has version ${row.version}, expected ${version}`);
}
