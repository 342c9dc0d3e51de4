import { hash as digest } from "node:crypto";
import type { RecordedEvent } from "@servofleet/contracts";
import { upcastEvent } from "./log-upcast.ts";

/** Raised with every change of the tables that an older reader would misread. 2: archives, signed checkpoints, lineage. */
export const LOG_FORMAT = 2;
/** Formats that are read as they are, and lifted to LOG_FORMAT by the next writer. */
export const LOG_FORMATS: readonly number[] = [1, LOG_FORMAT];
export const LOG_FILE = "events.db";

/**
 * What stands beside the events. Rows leave the hot file only when a sealed archive holds them: then `log_archives` names
 * it, and `log_streams` keeps the newest version of the streams that may have no row left here.
 */
const LOG_TABLES_OF_FORMAT_2 = `
CREATE TABLE log_lineage(
  serial         INTEGER PRIMARY KEY,
  log_id         TEXT NOT NULL,
  after_position INTEGER NOT NULL,
  wall_us        INTEGER NOT NULL
) STRICT;
CREATE TABLE log_checkpoints(
  serial    INTEGER PRIMARY KEY,
  log_id    TEXT NOT NULL,
  position  INTEGER NOT NULL,
  hash      TEXT NOT NULL,
  epoch     INTEGER NOT NULL,
  wall_us   INTEGER NOT NULL,
  key_id    TEXT NOT NULL,
  signature TEXT NOT NULL
) STRICT;
CREATE TABLE log_archives(
  first_position INTEGER PRIMARY KEY,
  last_position  INTEGER NOT NULL,
  file           TEXT NOT NULL,
  previous_hash  TEXT NOT NULL,
  last_hash      TEXT NOT NULL
) STRICT;
CREATE TABLE log_streams(stream TEXT PRIMARY KEY, version INTEGER NOT NULL) STRICT;
CREATE TRIGGER events_never_go BEFORE DELETE ON events
  WHEN OLD.position > (SELECT coalesce(max(last_position), 0) FROM log_archives)
  BEGIN SELECT RAISE(ABORT, 'events are facts: never deleted'); END;
CREATE TRIGGER checkpoints_never_change BEFORE UPDATE ON log_checkpoints
  BEGIN SELECT RAISE(ABORT, 'checkpoints are signed: never changed'); END;
CREATE TRIGGER checkpoints_never_go BEFORE DELETE ON log_checkpoints
  WHEN OLD.position > (SELECT coalesce(max(last_position), 0) FROM log_archives)
  BEGIN SELECT RAISE(ABORT, 'checkpoints are signed: never deleted'); END;
CREATE TRIGGER archives_never_change BEFORE UPDATE ON log_archives
  BEGIN SELECT RAISE(ABORT, 'an archive is sealed: never changed'); END;
CREATE TRIGGER archives_never_go BEFORE DELETE ON log_archives
  BEGIN SELECT RAISE(ABORT, 'an archive is sealed: never deleted'); END;`;

/** The event log's tables. AUTOINCREMENT: a position is never given twice; the triggers: a fact is never changed. */
export const LOG_TABLES = `
CREATE TABLE events(
  position    INTEGER PRIMARY KEY AUTOINCREMENT,
  stream      TEXT NOT NULL,
  version     INTEGER NOT NULL,
  id          TEXT NOT NULL UNIQUE,
  type        TEXT NOT NULL,
  schema      INTEGER NOT NULL,
  wall_us     INTEGER NOT NULL,
  mono_ns     INTEGER NOT NULL,
  boot        TEXT NOT NULL,
  epoch       INTEGER NOT NULL,
  command_id  TEXT,
  correlation TEXT NOT NULL,
  causation   TEXT,
  actor       TEXT,
  trace       TEXT,
  data        TEXT NOT NULL,
  hash        BLOB NOT NULL CHECK(length(hash) = 32),
  UNIQUE(stream, version)
) STRICT;
CREATE INDEX events_command ON events(command_id) WHERE command_id IS NOT NULL;
CREATE TRIGGER events_never_change BEFORE UPDATE ON events BEGIN SELECT RAISE(ABORT, 'events are facts: never changed'); END;
CREATE TABLE log_meta(
  only         INTEGER PRIMARY KEY CHECK(only = 1),
  log_id       TEXT NOT NULL,
  writer_epoch INTEGER NOT NULL,
  format       INTEGER NOT NULL
) STRICT;
${LOG_TABLES_OF_FORMAT_2}`;

/** What lifts a log of format 1. No row of `events` is touched. */
export const LIFT_FROM_FORMAT_1 = `
DROP TRIGGER events_never_go;
${LOG_TABLES_OF_FORMAT_2}
INSERT INTO log_lineage(serial, log_id, after_position, wall_us) SELECT 1, log_id, 0, 0 FROM log_meta;
UPDATE log_meta SET format = 2;`;

/** Columns as every reader selects them. Nanoseconds leave as text: 2^53 of them are only 104 days. */
export const LOG_COLUMNS = `position, stream, version, id, type, schema, wall_us AS wallUs, CAST(mono_ns AS TEXT) AS monoNs, boot,
  epoch, command_id AS commandId, correlation AS correlationId, causation AS causationId, actor, trace AS traceparent, data,
  lower(hex(hash)) AS hash`;

/** A row as it is selected: the event with its data still as the stored text. */
export interface LogRow extends Omit<RecordedEvent, "data" | "type"> {
  readonly type: string;
  readonly data: string;
}

/** Identity of a log. */
export interface LogMeta {
  readonly logId: string;
  readonly epoch: number;
  readonly format: number;
}
/** Reads it. */
export const SELECT_LOG_META = "SELECT log_id AS logId, writer_epoch AS epoch, format FROM log_meta";
/** Every id the log had, oldest first; the next one began after a position (restored from a backup). */
export const SELECT_LINEAGE =
  "SELECT log_id AS logId, after_position AS afterPosition FROM log_lineage ORDER BY serial";
/** One stretch of a log's life under one id. */
export interface LogLineage {
  readonly logId: string;
  readonly afterPosition: number;
}

/**
 * The canonical row: the JSON array of the columns in their order without the hash, data as its stored text.
 * So a row is checked by what is on disk, never by how some later code would write it.
 */
export const canonicalRow = (row: Omit<LogRow, "hash">): string =>
  JSON.stringify([
    row.position,
    row.stream,
    row.version,
    row.id,
    row.type,
    row.schema,
    row.wallUs,
    row.monoNs,
    row.boot,
    row.epoch,
    row.commandId,
    row.correlationId,
    row.causationId,
    row.actor,
    row.traceparent,
    row.data,
  ]);

/** SHA-256 (hex) of the previous row's hash (hex) followed by the canonical row. */
export const chainHash = (previousHash: string, canonical: string): string =>
  digest("sha256", previousHash + canonical, "hex");

/** What stands before the first row: the chain belongs to this log and to no other. */
export const genesisHash = (logId: string): string => digest("sha256", `servofleet-log ${logId}`, "hex");

/** A row that this version cannot read. Nothing is skipped: the reader stops. */
export class UnreadableEvent extends Error {
  override readonly name = "UnreadableEvent";
  readonly code = "unreadable-event";
  readonly facts: Readonly<Record<string, unknown>>;
  readonly hint: string;
  constructor(facts: Readonly<Record<string, unknown>>, hint: string) {
    super(`unreadable-event: ${hint}`);
    this.facts = facts;
    this.hint = hint;
  }
}

/** The recorded event of a row, in today's shape. Throws UnreadableEvent for a type or schema version that is not known here. */
export function eventOfRow(row: LogRow): RecordedEvent {
  const event = upcastEvent({ type: row.type, schema: row.schema, data: JSON.parse(row.data) });
  if (event) return { ...row, ...event };
  const { position, type, schema } = row;
  throw new UnreadableEvent(
    { position, type, schema },
    `position ${position} holds ${type} version ${schema}, written by a newer version of this product: install that one`,
  );
}
