import type { RecordedEvent } from "@servofleet/contracts";
import { assert } from "./assert.ts";
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
  findById(id: string): Promise<RecordedEvent | undefined>;
  /** 0 for an empty log. */
  newestPosition(): Promise<number>;
}

/** The questions to a log, over one connection. */
export function logQueries(connection: SqliteConnection): LogQueries {
  const select = async (rest: string, params: readonly (string | number)[]): Promise<RecordedEvent[]> =>
    (await connection.all<LogRow>(`SELECT ${LOG_COLUMNS} FROM events ${rest}`, params)).map(eventOfRow);
  const checked = (limit: number): number => {
    assert(
      Number.isInteger(limit) && limit >= 1 && limit <= LOG_PAGE_MAX,
      `limit ${limit} is not 1 to ${LOG_PAGE_MAX}`,
    );
    return limit;
  };
  return {
    readAfter: async (position, limit) =>
      select("WHERE events.position > ?1 ORDER BY events.position LIMIT ?2", [position, checked(limit)]),
    readStream: async (stream, afterVersion, limit) =>
      select("WHERE stream = ?1 AND version > ?2 ORDER BY version LIMIT ?3", [stream, afterVersion, checked(limit)]),
    readCommand: (commandId) => select("WHERE command_id = ?1 ORDER BY events.position", [commandId]),
    findById: async (id) => (await select("WHERE id = ?1", [id]))[0],
    newestPosition: async () =>
      (await connection.get<{ newest: number | null }>("SELECT max(position) AS newest FROM events"))?.newest ?? 0,
  };
}
