import { readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { SqliteDatabase, SqliteError } from "@servofleet/runtime/sqlite";
import type { Change, Projection } from "./projection.ts";
import { ProjectionError } from "./projection-error.ts";
import {
  conditionsOf,
  PAST_TABLES,
  parsed,
  pastStatements,
  rowAt,
  rowsAt,
  type StoredRow,
  snapshotBefore,
} from "./sqlite-past-rows.ts";
import type { Checkpoint, PastBatch, RowQuery, Snapshot, ViewStore } from "./view-store.ts";

/** Raised with every change of the tables: files of another format are rebuilt. 2: former rows and snapshots. 3: with row ids. */
const FORMAT = 3;
const DAMAGED: ReadonlySet<string> = new Set(["SQLITE_CORRUPT", "SQLITE_NOTADB"]);
const NOTHING_PAST: PastBatch<never> = { former: [], snapshots: [] };

/**
 * The trigger is the compare of the compare-and-swap: two projectors on one file cannot both go on. Rows lie in the order in
 * which they came, so that a list of neighbours in time reads few pages; by key alone (WITHOUT ROWID) a row of a kilobyte
 * took pages of its own, and the file three times the space.
 */
const TABLES = `
PRAGMA journal_mode=WAL;
PRAGMA synchronous=NORMAL;
CREATE TABLE IF NOT EXISTS rows(
  key TEXT PRIMARY KEY, rank INTEGER NOT NULL, settled INTEGER NOT NULL, json TEXT NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS rows_rank ON rows(rank);
CREATE INDEX IF NOT EXISTS rows_open ON rows(rank) WHERE settled = 0;
CREATE TABLE IF NOT EXISTS checkpoint(
  only INTEGER PRIMARY KEY CHECK(only = 1),
  log_id TEXT NOT NULL, position INTEGER NOT NULL, previous INTEGER NOT NULL, hash TEXT NOT NULL
) STRICT;
INSERT OR IGNORE INTO checkpoint VALUES (1, '', 0, 0, '');
CREATE TRIGGER IF NOT EXISTS checkpoint_moves_on BEFORE UPDATE ON checkpoint WHEN NEW.previous <> OLD.position
BEGIN SELECT RAISE(ABORT, 'checkpoint-moved'); END;
${PAST_TABLES}
PRAGMA user_version = ${FORMAT};`;

const MOVE_CHECKPOINT = "UPDATE checkpoint SET log_id = ?, position = ?, previous = ?, hash = ?";
const PUT_ROWS = `INSERT INTO rows(key, rank, settled, json)
  SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3 FROM json_each(?) WHERE true
  ON CONFLICT(key) DO UPDATE SET rank = excluded.rank, settled = excluded.settled, json = excluded.json`;
/**
 * What stays in memory, in order of rank: first what is still open below the floor, then all from the floor on. Two
 * statements, since SQLite walks the whole table for one with OR and ORDER BY: seconds of a start with a million commands.
 */
export const RESIDENT_ROWS = [
  "SELECT key, rank, json FROM rows WHERE settled = 0 AND rank < ? ORDER BY rank, key",
  "SELECT key, rank, json FROM rows WHERE rank >= ? ORDER BY rank, key",
] as const;
const ROWS_BY_KEY = "SELECT key, rank, json FROM rows WHERE key > ? ORDER BY key LIMIT ?";
const DROP_ROWS = "DELETE FROM rows WHERE key IN (SELECT value FROM json_each(?))";

const nameOf = ({ name, version }: NamedView): string => `${name}.v${version}.db`;
type NamedView = Pick<Projection<never>, "name" | "version">;
/** Where the rows of a projection lie in a directory. */
export const viewFile = (directory: string, projection: NamedView): string => join(directory, nameOf(projection));

/** The rows of one projection in `<directory>/<name>.v<version>.db`. */
export class SqliteViewStore<Row> implements ViewStore<Row> {
  readonly #projection: Projection<Row>;
  readonly #file: string;
  #db: SqliteDatabase;

  private constructor(projection: Projection<Row>, file: string, db: SqliteDatabase) {
    this.#projection = projection;
    this.#file = file;
    this.#db = db;
  }

  /** Opens the file of this version and deletes those of others; a file that is no database is replaced. */
  static async open<Row>(directory: string, projection: Projection<Row>): Promise<SqliteViewStore<Row>> {
    const { name } = projection;
    const own = nameOf(projection);
    for (const entry of await readdir(directory))
      if (entry.startsWith(`${name}.v`) && !entry.startsWith(own)) await rm(join(directory, entry));
    const file = viewFile(directory, projection);
    return new SqliteViewStore(projection, file, await openFile(file, tablesOf(projection)));
  }

  async checkpoint(): Promise<Checkpoint | null> {
    const stored = await this.#db.get<Checkpoint>("SELECT log_id AS logId, position, hash FROM checkpoint");
    return stored && stored.position > 0 ? stored : null;
  }

  async resident(): Promise<{ rows: readonly (readonly [string, Row])[]; floorRank: number }> {
    const { residentMax } = this.#projection;
    let floorRank = 0;
    if (Number.isFinite(residentMax)) {
      const edge = await this.#db.get<StoredRow>("SELECT rank FROM rows ORDER BY rank DESC LIMIT 1 OFFSET ?", [
        residentMax,
      ]);
      floorRank = edge ? edge.rank + 1 : 0;
    }
    const parts = await Promise.all(RESIDENT_ROWS.map((sql) => this.#db.all<StoredRow>(sql, [floorRank])));
    return { rows: parts.flat().map((row) => parsed<Row>(row)), floorRank };
  }

  async get(key: string): Promise<Row | undefined> {
    const row = await this.#db.get<StoredRow>("SELECT key, rank, json FROM rows WHERE key = ?", [key]);
    return row && parsed<Row>(row)[1];
  }

  async list({ beforeRank, limit, where }: RowQuery): Promise<readonly Row[]> {
    const { sql, values } = conditionsOf(where);
    const rows = await this.#db.all<StoredRow>(
      `SELECT key, rank, json FROM rows WHERE settled = 1 AND rank < ?${sql} ORDER BY rank DESC LIMIT ?`,
      [beforeRank, ...values, limit],
    );
    return rows.map((row) => parsed<Row>(row)[1]);
  }

  async page(after: string, limit: number): Promise<readonly (readonly [string, Row])[]> {
    const rows = await this.#db.all<StoredRow>(ROWS_BY_KEY, [after, limit]);
    return rows.map((row) => parsed<Row>(row));
  }

  snapshotBefore(position: number): Promise<Snapshot<Row> | null> {
    return snapshotBefore(this.#db, position);
  }

  settledAt(position: number, query: RowQuery): Promise<readonly (readonly [string, Row])[]> {
    return rowsAt(this.#db, position, query);
  }

  settledRowAt(position: number, key: string): Promise<Row | undefined> {
    return rowAt(this.#db, position, key);
  }

  async save(
    from: number,
    to: Checkpoint,
    changes: readonly Change<Row>[],
    past: PastBatch<Row> = NOTHING_PAST,
  ): Promise<void> {
    const put: unknown[] = [];
    const drop: string[] = [];
    for (const [key, row] of changes)
      if (row === null) drop.push(key);
      else put.push([key, this.#projection.rank(row), this.#projection.settled(row) ? 1 : 0, JSON.stringify(row)]);
    try {
      await this.#db.batch([
        { sql: MOVE_CHECKPOINT, params: [to.logId, to.position, from, to.hash] },
        ...(put.length > 0 ? [{ sql: PUT_ROWS, params: [JSON.stringify(put)] }] : []),
        ...(drop.length > 0 ? [{ sql: DROP_ROWS, params: [JSON.stringify(drop)] }] : []),
        ...pastStatements(past, this.#projection.rank),
      ]);
    } catch (cause) {
      if (cause instanceof SqliteError && String(cause.facts["message"]).includes("checkpoint-moved"))
        throw new ProjectionError(
          "checkpoint-moved",
          { file: this.#file, expected: from },
          "another process writes this projection; run one dashboard service per read directory",
          cause,
        );
      throw cause;
    }
  }

  async wipe(): Promise<void> {
    await this.#db.close();
    this.#db = await freshFile(this.#file, tablesOf(this.#projection));
  }

  close(): Promise<void> {
    return this.#db.close();
  }
}

/** An index per field that lists are filtered by; its text must be the one that `conditionsOf` writes. */
const tablesOf = ({ filters = [] }: Pick<Projection<never>, "filters">): string =>
  `${TABLES}${filters.map((field) => `CREATE INDEX IF NOT EXISTS rows_${field} ON rows(json ->> '$.${field}', rank);`).join("")}`;

async function openFile(file: string, tables: string): Promise<SqliteDatabase> {
  const db = await SqliteDatabase.open(file);
  try {
    const stored = await db.get<{ user_version: number }>("PRAGMA user_version");
    if (stored?.user_version === 0 || stored?.user_version === FORMAT) {
      await db.exec(tables);
      return db;
    }
  } catch (cause) {
    if (cause instanceof SqliteError && DAMAGED.has(cause.code)) return replaced(db, file, tables);
    await db.close();
    throw cause;
  }
  return replaced(db, file, tables);
}

/** Everything here can be rebuilt from the log: a damaged file, or one of another format, is no loss. */
async function replaced(db: SqliteDatabase, file: string, tables: string): Promise<SqliteDatabase> {
  await db.close();
  return freshFile(file, tables);
}

async function freshFile(file: string, tables: string): Promise<SqliteDatabase> {
  for (const end of ["", "-wal", "-shm"]) await rm(`${file}${end}`, { force: true });
  const db = await SqliteDatabase.open(file);
  await db.exec(tables);
  return db;
}
