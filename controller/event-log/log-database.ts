import { assert } from "@servofleet/runtime/assert";
import {
  canonicalRow,
  chainHash,
  genesisHash,
  LIFT_FROM_FORMAT_1,
  LOG_COLUMNS,
  LOG_FORMAT,
  LOG_FORMATS,
  LOG_TABLES,
  type LogMeta,
  type LogRow,
  SELECT_LINEAGE,
  SELECT_LOG_META,
} from "@servofleet/runtime/log-schema";
import type { SqliteConnection } from "@servofleet/runtime/sqlite";
import { LogOpenError } from "./log-open-error.ts";
import type { LogHead } from "./seal-events.ts";

/** Rows at the end of the log whose chain is checked at every start; `log verify` checks all of them. */
const TAIL_ROWS = 1000;
/** The chain is checked from the newest signed position, as far as it is not further away than this. */
const SIGNED_TAIL_ROWS = 20_000;
const PAGE_ROWS = 1000;
const WAL_SIZE_LIMIT = 64 * 1024 * 1024;

/** What the writer's promises rest on, as it is set and as it must read back. `synchronous` 2 is FULL. */
const PRAGMAS: readonly (readonly [name: string, set: string, reads: string | number])[] = [
  ["journal_mode", "WAL", "wal"],
  ["synchronous", "FULL", 2],
  ["busy_timeout", "5000", 5000],
  ["wal_autocheckpoint", "0", 0],
  ["journal_size_limit", String(WAL_SIZE_LIMIT), WAL_SIZE_LIMIT],
  ["mmap_size", "0", 0],
  ["trusted_schema", "OFF", 0],
  ["recursive_triggers", "ON", 1],
];

/** Sets every pragma and reads it back: a pragma that SQLite does not like is ignored without a word. */
export async function setPragmas(database: SqliteConnection): Promise<void> {
  for (const [name, set, expected] of PRAGMAS) {
    await database.all(`PRAGMA ${name} = ${set}`);
    const row = await database.get<Record<string, string | number>>(`PRAGMA ${name}`);
    const [value] = Object.values(row ?? {});
    if (value !== expected)
      throw new LogOpenError("log-unfit", { pragma: name, value, expected }, `SQLite does not take ${name} = ${set}`);
  }
}

/** Makes the tables of a new log, or reads the old one's identity. Throws LogOpenError for a newer format. */
export async function readyTables(database: SqliteConnection, newLogId: string): Promise<LogMeta> {
  const present = await database.get("SELECT 1 FROM sqlite_schema WHERE name = 'log_meta'");
  if (!present) {
    assert(/^[0-9a-z_-]{1,64}$/.test(newLogId), "a log id must fit a log position");
    const meta = `INSERT INTO log_meta(only, log_id, writer_epoch, format) VALUES (1, '${newLogId}', 0, ${LOG_FORMAT});`;
    const lineage = `INSERT INTO log_lineage(serial, log_id, after_position, wall_us) VALUES (1, '${newLogId}', 0, 0);`;
    await database.exec(`BEGIN IMMEDIATE; ${LOG_TABLES} ${meta} ${lineage} COMMIT;`);
  }
  const meta = await database.get<LogMeta>(SELECT_LOG_META);
  if (!meta) throw new LogOpenError("log-damaged", {}, "log_meta is empty: restore the log from a backup");
  if (!LOG_FORMATS.includes(meta.format))
    throw new LogOpenError(
      "log-format",
      { format: meta.format, known: LOG_FORMAT },
      `the event log has format ${meta.format} and this version knows ${LOG_FORMAT}: install the version that wrote it`,
    );
  if (meta.format < LOG_FORMAT) await database.exec(`BEGIN IMMEDIATE; ${LIFT_FROM_FORMAT_1} COMMIT;`);
  return meta;
}

/** Raises the fencing token, fsynced in a transaction of its own, and returns it. */
export async function raiseEpoch(database: SqliteConnection): Promise<number> {
  const { changes } = await database.run("UPDATE log_meta SET writer_epoch = writer_epoch + 1");
  assert(changes === 1, "log_meta has exactly one row");
  const meta = await database.get<LogMeta>(SELECT_LOG_META);
  assert(meta, "log_meta was just written");
  return meta.epoch;
}

/**
 * Checks the chain from the newest signed position, or the newest rows, and finds the head. Throws LogOpenError (log-damaged).
 */
export async function verifiedHead(database: SqliteConnection, logId: string): Promise<LogHead> {
  const { first, newest, given, signed, signedHash } = await endsOf(database);
  if (given !== newest) throw damaged(newest, `${given} positions were given and ${newest} is the newest`);
  if (signed > newest) throw damaged(newest + 1, `the log was signed up to position ${signed} and ends at ${newest}`);
  const from = Math.max(first, newest - SIGNED_TAIL_ROWS, Math.min(signed, newest - TAIL_ROWS), 1);
  let previous = await before(database, from, first, logId);
  for (;;) {
    const rows = await database.all<LogRow>(
      `SELECT ${LOG_COLUMNS} FROM events WHERE events.position > ?1 ORDER BY events.position LIMIT ${PAGE_ROWS}`,
      [previous.position],
    );
    for (const row of rows) previous = next(previous, row);
    const atSigned = rows.find(({ position }) => position === signed);
    if (atSigned && atSigned.hash !== signedHash)
      throw damaged(signed, `event ${signed} is not the one that was signed`);
    if (rows.length < PAGE_ROWS) return previous;
  }
}

/** Where the hot file begins and ends, how many positions were given, and how far the chain is signed. */
async function endsOf(database: SqliteConnection) {
  const found = await database.get<{
    first: number | null;
    newest: number | null;
    given: number | null;
    signed: number | null;
    signedHash: string | null;
  }>(`SELECT (SELECT min(position) FROM events) AS first, (SELECT max(position) FROM events) AS newest,
    (SELECT seq FROM sqlite_sequence WHERE name = 'events') AS given,
    (SELECT position FROM log_checkpoints ORDER BY serial DESC LIMIT 1) AS signed,
    (SELECT hash FROM log_checkpoints ORDER BY serial DESC LIMIT 1) AS signedHash`);
  return {
    first: found?.first ?? 0,
    newest: found?.newest ?? 0,
    given: found?.given ?? 0,
    signed: found?.signed ?? 0,
    signedHash: found?.signedHash ?? null,
  };
}

/** The row that stands before `from` in the chain, or what stands before the first row of the file. */
async function before(database: SqliteConnection, from: number, first: number, logId: string): Promise<LogHead> {
  if (first > 0 && from > first) {
    const [row] = await database.all<LogRow>(`SELECT ${LOG_COLUMNS} FROM events WHERE events.position = ?1`, [
      from - 1,
    ]);
    if (!row) throw damaged(from - 1, `position ${from - 1} is missing`);
    return row;
  }
  const archived = await database.get<{ position: number; hash: string }>(
    "SELECT last_position AS position, last_hash AS hash FROM log_archives ORDER BY first_position DESC LIMIT 1",
  );
  if (archived && archived.position >= first) {
    // Sealed, and not yet all gone from the hot file: the oldest row here stands in the archive, too.
    const [row] = await database.all<LogRow>(`SELECT ${LOG_COLUMNS} FROM events WHERE events.position = ?1`, [first]);
    if (row) return row;
  }
  return archived ?? { position: 0, hash: await genesisOf(database, logId) };
}

/** The chain begins with the first id the log ever had: a restored log has another one. */
async function genesisOf(database: SqliteConnection, logId: string): Promise<string> {
  const origin = await database.get<{ logId: string }>(SELECT_LINEAGE);
  return genesisHash(origin?.logId ?? logId);
}

function next(previous: LogHead, row: LogRow): LogHead {
  if (row.position !== previous.position + 1)
    throw damaged(previous.position + 1, `position ${previous.position + 1} is missing`);
  if (chainHash(previous.hash, canonicalRow(row)) !== row.hash)
    throw damaged(row.position, `event ${row.position} is not what was written`);
  return { position: row.position, hash: row.hash };
}

const damaged = (position: number, what: string): LogOpenError =>
  new LogOpenError(
    "log-damaged",
    { position },
    `${what}: run "servofleet log verify", then restore the log from a backup`,
  );
