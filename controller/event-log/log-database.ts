import { assert } from "@servofleet/runtime/assert";
import {
  canonicalRow,
  chainHash,
  genesisHash,
  LOG_COLUMNS,
  LOG_FORMAT,
  LOG_TABLES,
  type LogMeta,
  type LogRow,
  SELECT_LOG_META,
} from "@servofleet/runtime/log-schema";
import type { SqliteConnection } from "@servofleet/runtime/sqlite";
import { LogOpenError } from "./log-open-error.ts";
import type { LogHead } from "./seal-events.ts";

/** Rows at the end of the log whose chain is checked at every start; `log verify` checks all of them. */
const TAIL_ROWS = 1000;
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
    await database.exec(`BEGIN IMMEDIATE; ${LOG_TABLES} ${meta} COMMIT;`);
  }
  const meta = await database.get<LogMeta>(SELECT_LOG_META);
  if (!meta) throw new LogOpenError("log-damaged", {}, "log_meta is empty: restore the log from a backup");
  if (meta.format !== LOG_FORMAT)
    throw new LogOpenError(
      "log-format",
      { format: meta.format, known: LOG_FORMAT },
      `the event log has format ${meta.format} and this version knows ${LOG_FORMAT}: install the version that wrote it`,
    );
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

/** Checks the newest rows against the chain and finds the head. Throws LogOpenError (log-damaged). */
export async function verifiedHead(database: SqliteConnection, logId: string): Promise<LogHead> {
  const newestFirst = await database.all<LogRow>(
    `SELECT ${LOG_COLUMNS} FROM events ORDER BY events.position DESC LIMIT ${TAIL_ROWS + 1}`,
  );
  const rows = newestFirst.reverse();
  const given = await database.get<{ seq: number }>("SELECT seq FROM sqlite_sequence WHERE name = 'events'");
  const newest = rows.at(-1)?.position ?? 0;
  if ((given?.seq ?? 0) !== newest)
    throw damaged(newest, `${given?.seq} positions were given and ${newest} is the newest`);
  const first = rows[0];
  let previous = first === undefined || first.position === 1 ? { position: 0, hash: genesisHash(logId) } : first;
  for (const row of previous === first ? rows.slice(1) : rows) {
    if (row.position !== previous.position + 1)
      throw damaged(row.position, `position ${previous.position + 1} is missing`);
    if (chainHash(previous.hash, canonicalRow(row)) !== row.hash)
      throw damaged(row.position, `event ${row.position} is not what was written`);
    previous = row;
  }
  return { position: previous.position, hash: previous.hash };
}

const damaged = (position: number, what: string): LogOpenError =>
  new LogOpenError(
    "log-damaged",
    { position },
    `${what}: run "servofleet log verify", then restore the log from a backup`,
  );
