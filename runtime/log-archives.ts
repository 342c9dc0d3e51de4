import { join } from "node:path";
import { LogReaderError } from "./log-reader-error.ts";
import { LOG_COLUMNS, type LogRow } from "./log-schema.ts";
import { type SqliteConnection, SqliteDatabase, SqliteError } from "./sqlite.ts";

/** Beside the hot file; every sealed archive is one SQLite file with its manifest. */
export const ARCHIVE_DIRECTORY = "archive";
/** Archive files that are kept open. */
const OPEN_MAX = 4;

/** A sealed archive, as the hot file lists it. */
export interface ArchiveEntry {
  readonly firstPosition: number;
  readonly lastPosition: number;
  /** Name inside ARCHIVE_DIRECTORY. */
  readonly file: string;
  /** Chain hash before the first row, and of the last. */
  readonly previousHash: string;
  readonly lastHash: string;
}

const SELECT_ARCHIVES = `SELECT first_position AS firstPosition, last_position AS lastPosition, file, previous_hash AS previousHash,
  last_hash AS lastHash FROM log_archives ORDER BY first_position`;
const HAS_ARCHIVES = "SELECT 1 FROM sqlite_schema WHERE name = 'log_archives'";
const ROWS_AFTER = `SELECT ${LOG_COLUMNS} FROM events WHERE events.position > ?1 ORDER BY events.position LIMIT ?2`;

/**
 * The whole log as one row of positions: archives first, then the hot file. A row may leave the hot file at any time, but
 * only after the list names the archive that holds it; so what is missing in the one is looked for in the other.
 */
export class LogArchives {
  readonly #hot: SqliteConnection;
  readonly #directory: string;
  readonly #open = new Map<string, Promise<SqliteDatabase>>();
  #entries: readonly ArchiveEntry[] = [];

  /** `directory` holds the hot file. */
  constructor(hot: SqliteConnection, directory: string) {
    this.#hot = hot;
    this.#directory = join(directory, ARCHIVE_DIRECTORY);
  }

  /** Reads the list anew; oldest first. A log of format 1 has none. */
  async entries(): Promise<readonly ArchiveEntry[]> {
    const has = this.#entries.length > 0 || (await this.#hot.get(HAS_ARCHIVES));
    this.#entries = has ? await this.#hot.all<ArchiveEntry>(SELECT_ARCHIVES) : [];
    return this.#entries;
  }

  /** Rows after `position`, ascending, over every border. A hole is left for the caller to see. Rejects with LogReaderError. */
  async rowsAfter(position: number, limit: number): Promise<LogRow[]> {
    const rows: LogRow[] = [];
    let after = position;
    while (rows.length < limit) {
      const page = await this.#pageAfter(after, limit - rows.length);
      rows.push(...page.rows);
      after = page.rows.at(-1)?.position ?? after;
      if (page.end) break;
    }
    return rows;
  }

  /** The connection of one archive; it is closed when others are used more. Rejects with LogReaderError (archive-missing). */
  connection(entry: ArchiveEntry): Promise<SqliteConnection> {
    const known = this.#open.get(entry.file);
    if (known) return known;
    const file = join(this.#directory, entry.file);
    const opened = SqliteDatabase.open(file, { readOnly: true }).catch((error: unknown) => {
      this.#open.delete(entry.file);
      if (error instanceof SqliteError && error.code === "SQLITE_CANTOPEN") throw missing(file, entry);
      throw error;
    });
    this.#open.set(entry.file, opened);
    const [oldest] = this.#open;
    if (this.#open.size > OPEN_MAX && oldest) {
      this.#open.delete(oldest[0]);
      // It closes after what was asked of it.
      void oldest[1].then((database) => database.close()).catch(() => undefined);
    }
    return opened;
  }

  /** Idempotent. The hot connection stays with its owner. */
  async close(): Promise<void> {
    const opened = [...this.#open.values()];
    this.#open.clear();
    for (const database of opened) await (await database.catch(() => undefined))?.close();
  }

  async #pageAfter(after: number, limit: number): Promise<{ rows: readonly LogRow[]; end: boolean }> {
    const known = this.#holding(after + 1);
    if (known) return this.#archivedAfter(known, after, limit);
    const rows = await this.#hot.all<LogRow>(ROWS_AFTER, [after, limit]);
    const [first] = rows;
    if (first === undefined || first.position === after + 1) return { rows, end: true };
    await this.entries();
    const entry = this.#holding(after + 1);
    return entry ? this.#archivedAfter(entry, after, limit) : { rows, end: true };
  }

  #holding(position: number): ArchiveEntry | undefined {
    return this.#entries.find((entry) => entry.firstPosition <= position && position <= entry.lastPosition);
  }

  async #archivedAfter(entry: ArchiveEntry, after: number, limit: number) {
    const rows = await (await this.connection(entry)).all<LogRow>(ROWS_AFTER, [after, limit]);
    // An archive that gives nothing where it should is a hole, not a reason to ask for ever.
    const end = rows.length === 0 || (rows.at(-1)?.position ?? 0) > entry.lastPosition;
    return { rows, end };
  }
}

const missing = (file: string, { firstPosition, lastPosition }: ArchiveEntry): LogReaderError =>
  new LogReaderError(
    "archive-missing",
    { file, firstPosition, lastPosition },
    `positions ${firstPosition} to ${lastPosition} are in ${file}, which is not there: put it back from a backup`,
  );
