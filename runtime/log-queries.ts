import type { RecordedEvent } from "@servofleet/contracts";
import { assert } from "./assert.ts";
import type { LogArchives } from "./log-archives.ts";
import { eventOfRow, LOG_COLUMNS, type LogRow } from "./log-schema.ts";
import type { SqliteConnection } from "./sqlite.ts";

/** Rows of one read: a page is one statement, so no read transaction outlives it and holds up the checkpoint. */
export const LOG_PAGE_MAX = 1000;

/** The questions that are asked of the log, on any connection. Rejects with SqliteError or UnreadableEvent. */
export interface LogQueries {
  /** Events after `position`, ascending, at most `limit` (1 to LOG_PAGE_MAX). */
  readAfter(position: number, limit: number): Promise<readonly RecordedEvent[]>;
  readStream(stream: string, afterVersion: number, limit: number): Promise<readonly RecordedEvent[]>;
  /** Every event that carries the command id, ascending. */
  readCommand(commandId: string): Promise<readonly RecordedEvent[]>;
  /** In the hot file alone: an id is known as long as its event is kept there. */
  findById(id: string): Promise<RecordedEvent | undefined>;
  /** 0 for an empty log. */
  newestPosition(): Promise<number>;
}

const EVENTS_OF_COMMAND = `SELECT ${LOG_COLUMNS} FROM events WHERE command_id = ?1 ORDER BY events.position`;
const EVENTS_OF_STREAM = `SELECT ${LOG_COLUMNS} FROM events WHERE stream = ?1 AND version > ?2 ORDER BY version LIMIT ?3`;
const EVENT_OF_ID = `SELECT ${LOG_COLUMNS} FROM events WHERE id = ?1`;

/** The questions to a log, over the connection of its hot file and its archives. */
export function logQueries(hot: SqliteConnection, archives: LogArchives): LogQueries {
  return {
    readAfter: async (position, limit) => (await archives.rowsAfter(position, checked(limit))).map(eventOfRow),
    readStream: (stream, afterVersion, limit) => readStream(hot, archives, stream, afterVersion, checked(limit)),
    readCommand: (commandId) => readCommand(hot, archives, commandId),
    findById: async (id) => {
      const row = await hot.get<LogRow>(EVENT_OF_ID, [id]);
      return row && eventOfRow(row);
    },
    newestPosition: async () =>
      (await hot.get<{ newest: number | null }>("SELECT max(position) AS newest FROM events"))?.newest ?? 0,
  };
}

function checked(limit: number): number {
  assert(Number.isInteger(limit) && limit >= 1 && limit <= LOG_PAGE_MAX, `limit ${limit} is not 1 to ${LOG_PAGE_MAX}`);
  return limit;
}

/** A command's story may lie over a border. Its first event is the decision, whose id is the command's: then it is whole. */
async function readCommand(hot: SqliteConnection, archives: LogArchives, commandId: string): Promise<RecordedEvent[]> {
  let rows = await hot.all<LogRow>(EVENTS_OF_COMMAND, [commandId]);
  if (!rows.some(({ id }) => id === commandId))
    for (const entry of [...(await archives.entries())].reverse()) {
      const older = await (await archives.connection(entry)).all<LogRow>(EVENTS_OF_COMMAND, [commandId]);
      rows = joined(older, rows);
      if (older.some(({ id }) => id === commandId)) break;
    }
  return rows.map(eventOfRow);
}

async function readStream(
  hot: SqliteConnection,
  archives: LogArchives,
  stream: string,
  afterVersion: number,
  limit: number,
): Promise<RecordedEvent[]> {
  const newest = await hot.all<LogRow>(EVENTS_OF_STREAM, [stream, afterVersion, limit]);
  let older: LogRow[] = [];
  if (newest[0]?.version !== afterVersion + 1)
    for (const entry of await archives.entries()) {
      if (older.length >= limit) break;
      const connection = await archives.connection(entry);
      older = joined(older, await connection.all<LogRow>(EVENTS_OF_STREAM, [stream, afterVersion, limit]));
    }
  return joined(older, newest).slice(0, limit).map(eventOfRow);
}

/** While an archive is being sealed, a row may stand on both sides of the border. */
function joined(older: readonly LogRow[], newer: readonly LogRow[]): LogRow[] {
  const border = older.at(-1)?.position ?? 0;
  return [...older, ...newer.filter(({ position }) => position > border)];
}
