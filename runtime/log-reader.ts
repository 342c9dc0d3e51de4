import { stat } from "node:fs/promises";
import { dirname } from "node:path";
import type { RecordedEvent } from "@servofleet/contracts";
import { type Clock, sleep } from "./clock.ts";
import { LogArchives } from "./log-archives.ts";
import { LOG_PAGE_MAX, type LogQueries, logQueries } from "./log-queries.ts";
import { LogReaderError } from "./log-reader-error.ts";
import {
  eventOfRow,
  LOG_COLUMNS,
  LOG_FORMAT,
  LOG_FORMATS,
  type LogMeta,
  type LogRow,
  SELECT_LOG_META,
} from "./log-schema.ts";
import { LookPause } from "./look-pause.ts";
import { SqliteDatabase, SqliteError } from "./sqlite.ts";
import { positionAtWall } from "./wall-position.ts";
import { watchWrites } from "./watch-writes.ts";

export { LogReaderError } from "./log-reader-error.ts";

/** How often the file's identity is checked. */
const IDENTITY_PERIOD_MS = 1000;
/** Between two tries while the log does not exist yet. */
const APPEAR_PERIOD_MS = 50;
const BUSY_TIMEOUT_MS = 2000;

/** Of a look: the events after a position, oldest first, each with what log it is in. */
export const LOOK = `SELECT ${LOG_COLUMNS}, log_id AS metaLogId, writer_epoch AS metaEpoch, format AS metaFormat
  FROM events CROSS JOIN log_meta WHERE events.position > ?1 ORDER BY events.position LIMIT ?2`;
interface LogMetaColumns {
  readonly metaLogId: string;
  readonly metaEpoch: number;
  readonly metaFormat: number;
}

/** Which log to read. */
export interface LogReaderOptions {
  /** `events.db` of the writer. */
  readonly file: string;
  readonly clock: Clock;
  /** Ends the wait for a log that does not exist yet. */
  readonly signal?: AbortSignal;
}

/** Takes events in order; the next batch waits for it. */
export type LogBatchHandler = (events: readonly RecordedEvent[]) => void | Promise<void>;

/** Waits for the log to appear, then opens it read-only. Rejects with the signal's reason, LogReaderError or SqliteError. */
export async function openLogReader(options: LogReaderOptions): Promise<LogReader> {
  for (;;) {
    const reader = await LogReader.open(options);
    if (reader) return reader;
    await sleep(options.clock, APPEAR_PERIOD_MS, options.signal);
  }
}

/** The event log as another process sees it: read-only, woken by writes to its WAL. It never holds a read transaction open. */
export class LogReader implements LogQueries {
  readonly logId: string;
  readonly file: string;
  readonly readAfter: LogQueries["readAfter"];
  readonly readStream: LogQueries["readStream"];
  readonly readCommand: LogQueries["readCommand"];
  readonly findById: LogQueries["findById"];
  readonly newestPosition: LogQueries["newestPosition"];
  readonly #database: SqliteDatabase;
  readonly #archives: LogArchives;
  readonly #clock: Clock;
  readonly #inode: number;
  readonly #pause: LookPause;
  #epoch: number;

  private constructor(database: SqliteDatabase, clock: Clock, meta: LogMeta, inode: number) {
    this.#archives = new LogArchives(database, dirname(database.file));
    const queries = logQueries(database, this.#archives);
    this.logId = meta.logId;
    this.file = database.file;
    this.readAfter = queries.readAfter;
    this.readStream = queries.readStream;
    this.readCommand = queries.readCommand;
    this.findById = queries.findById;
    this.newestPosition = queries.newestPosition;
    this.#database = database;
    this.#clock = clock;
    this.#pause = new LookPause(clock);
    this.#inode = inode;
    this.#epoch = meta.epoch;
  }

  /** The reader, or undefined while there is no log in the file yet. */
  static async open({ file, clock }: LogReaderOptions): Promise<LogReader | undefined> {
    const inode = await inodeOf(file);
    if (inode === undefined) return undefined;
    let database: SqliteDatabase | undefined;
    try {
      database = await SqliteDatabase.open(file, { readOnly: true });
      await database.exec(
        `PRAGMA busy_timeout = ${BUSY_TIMEOUT_MS}; PRAGMA mmap_size = 0; PRAGMA trusted_schema = OFF`,
      );
      const made = await database.get("SELECT 1 FROM sqlite_schema WHERE name = 'log_meta'");
      const meta = made ? await database.get<LogMeta>(SELECT_LOG_META) : undefined;
      if (meta && !LOG_FORMATS.includes(meta.format)) throw formatError(meta.format);
      if (meta) return new LogReader(database, clock, meta, inode);
    } catch (error) {
      await database?.close();
      // The writer is just making it, or recovering it after a crash.
      if (error instanceof SqliteError && (error.code === "SQLITE_CANTOPEN" || error.code === "SQLITE_BUSY"))
        return undefined;
      throw error;
    }
    await database.close();
    return undefined;
  }

  /** Writer epoch as last seen. */
  get epoch(): number {
    return this.#epoch;
  }

  /** Highest position whose wall time is at or before `wallUs`; 0 when there is none. */
  async positionAtWall(wallUs: number): Promise<number> {
    const hot = await positionAtWall(this.#database, wallUs);
    if (hot > 0) return hot;
    for (const entry of [...(await this.#archives.entries())].reverse()) {
      const archived = await positionAtWall(await this.#archives.connection(entry), wallUs);
      if (archived > 0) return archived;
    }
    return 0;
  }

  /** Somebody waits for a position: look often again. */
  hurry(): void {
    this.#pause.hurry();
  }

  /**
   * Hands over every event after `after`, exactly once, in order, without gap; waits for `onBatch` before the next page.
   * Resolves when the signal aborts. Rejects with LogReaderError, SqliteError, UnreadableEvent or what `onBatch` threw.
   */
  async follow(after: number, onBatch: LogBatchHandler, signal: AbortSignal): Promise<void> {
    await this.#checkIdentity();
    const newest = await this.newestPosition();
    if (newest < after)
      throw new LogReaderError(
        "log-shorter",
        { newest, after },
        "the log ends before what was read of it: rebuild from it",
      );
    // The writer writes to the WAL and syncs it, and then its events are there: looks are frequent from the write on.
    const unwatch = watchWrites(`${this.file}-wal`, () => this.#pause.hurry());
    try {
      await this.#followFrom(after, onBatch, signal);
    } finally {
      unwatch();
    }
  }

  async #followFrom(after: number, onBatch: LogBatchHandler, signal: AbortSignal): Promise<void> {
    let position = after;
    let checkedMs = this.#clock.monotonicMs();
    while (!signal.aborted) {
      const before = position;
      position = await this.#drain(position, onBatch, signal);
      if (position > before) this.#pause.hurry();
      else await this.#pause.take(signal);
      if (this.#clock.monotonicMs() - checkedMs < IDENTITY_PERIOD_MS) continue;
      await this.#checkIdentity();
      checkedMs = this.#clock.monotonicMs();
    }
  }

  /** Idempotent. */
  async close(): Promise<void> {
    await this.#archives.close();
    await this.#database.close();
  }

  async #drain(from: number, onBatch: LogBatchHandler, signal: AbortSignal): Promise<number> {
    let position = from;
    while (!signal.aborted) {
      const events = await this.#look(position);
      for (const event of events) {
        if (event.position !== position + 1)
          throw new LogReaderError(
            "log-gap",
            { after: position, found: event.position },
            `position ${position + 1} is missing: run "servofleet log verify"`,
          );
        position = event.position;
      }
      if (events.length > 0) await onBatch(events);
      if (events.length < LOG_PAGE_MAX) break;
    }
    return position;
  }

  /** What has come since `position`, and whether it is still this log: one statement, since a look costs its round trip. */
  async #look(position: number): Promise<readonly RecordedEvent[]> {
    const found = await this.#database.all<LogRow & LogMetaColumns>(LOOK, [position, LOG_PAGE_MAX]);
    const [first] = found;
    if (!first) return [];
    this.#sameLog({ logId: first.metaLogId, epoch: first.metaEpoch, format: first.metaFormat });
    // What was sealed meanwhile is in another file.
    if (first.position !== position + 1) return this.readAfter(position, LOG_PAGE_MAX);
    return found.map(({ metaLogId: _, metaEpoch: __, metaFormat: ___, ...row }) => eventOfRow(row));
  }

  async #readMeta(): Promise<void> {
    this.#sameLog(await this.#database.get<LogMeta>(SELECT_LOG_META));
  }

  #sameLog(meta: LogMeta | undefined): void {
    if (meta && !LOG_FORMATS.includes(meta.format)) throw formatError(meta.format);
    if (meta?.logId !== this.logId) throw this.#replaced(meta?.logId ?? null);
    this.#epoch = meta.epoch;
  }

  /** A log restored under the same name leaves this connection on the old file, where nothing ever happens again. */
  async #checkIdentity(): Promise<void> {
    if ((await inodeOf(this.file)) !== this.#inode) throw this.#replaced(null);
    await this.#readMeta();
  }

  #replaced(found: string | null): LogReaderError {
    return new LogReaderError(
      "log-replaced",
      { logId: this.logId, found },
      "another log stands in the file's place: open it anew and rebuild from it",
    );
  }
}

const formatError = (format: number): LogReaderError =>
  new LogReaderError(
    "log-format",
    { format, known: LOG_FORMAT },
    "the log was written by a newer version: install that one",
  );

async function inodeOf(file: string): Promise<number | undefined> {
  return stat(file).then(
    ({ ino }) => ino,
    () => undefined,
  );
}
