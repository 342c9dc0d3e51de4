import sqlite3 from "sqlite3";
import { assert } from "./assert.ts";
import { SqliteError, sqliteError } from "./sqlite-error.ts";

export { SqliteError } from "./sqlite-error.ts";

/** What SQLite stores. */
export type SqliteValue = string | number | null | Uint8Array;
/** A statement with its values. */
export interface SqliteStatement {
  readonly sql: string;
  readonly params?: readonly SqliteValue[];
}
/** What a statement changed. */
export interface SqliteOutcome {
  readonly lastId: number;
  readonly changes: number;
}

/** Below it two connections that write and checkpoint at once can corrupt a WAL database (fixed in SQLite 3.51.3). */
const OLDEST_SQLITE = 3_051_003;
/** Statements that may wait on one connection. */
const QUEUE_MAX = 4096;
const PREPARED_MAX = 64;
/** libuv's pool is shared by serialport, sqlite3 and password hashing: with its default of 4 they starve each other. */
const THREADS_MIN = 16;

/** Called once by the composition of every process that touches a database, before anything else uses the pool. */
export function assertThreadPool(env: Readonly<Record<string, string | undefined>> = process.env): void {
  const size = Number(env["UV_THREADPOOL_SIZE"] ?? 4);
  assert(
    size >= THREADS_MIN,
    `UV_THREADPOOL_SIZE is ${size}, at least ${THREADS_MIN} are needed: start by the launcher`,
  );
}

/** What the owners of a database need of it; a test may put a faulty disk in its place. */
export interface SqliteConnection {
  /** One statement that changes something. */
  run(sql: string, params?: readonly SqliteValue[]): Promise<SqliteOutcome>;
  /** Every row: no read transaction stays open after it. */
  all<Row>(sql: string, params?: readonly SqliteValue[]): Promise<Row[]>;
  /** The first row. */
  get<Row>(sql: string, params?: readonly SqliteValue[]): Promise<Row | undefined>;
  /** Several statements in one text, without parameters. */
  exec(sql: string): Promise<void>;
  /** All or nothing, in one transaction that nobody else's statement can slip into. */
  batch(statements: readonly SqliteStatement[]): Promise<readonly SqliteOutcome[]>;
  /** Waits for what was asked, then closes. Idempotent. */
  close(): Promise<void>;
}

/**
 * One connection of its own on one file; its statements run one after the other in the order they were asked.
 * There is no open transaction across an await of a caller: shared by async code it would swallow others' statements.
 */
export class SqliteDatabase implements SqliteConnection {
  readonly file: string;
  readonly #handle: sqlite3.Database;
  readonly #prepared = new Map<string, sqlite3.Statement>();
  #tail: Promise<unknown> = Promise.resolve();
  #waiting = 0;
  #closing: Promise<void> | undefined;

  private constructor(file: string, handle: sqlite3.Database) {
    this.file = file;
    this.#handle = handle;
  }

  /** Opens `file`; read-write creates it. Rejects with SqliteError. */
  static open(file: string, options: { readonly readOnly?: boolean } = {}): Promise<SqliteDatabase> {
    if (sqlite3.VERSION_NUMBER < OLDEST_SQLITE)
      return Promise.reject(
        new SqliteError(
          "sqlite-unfit",
          { version: sqlite3.VERSION, oldest: OLDEST_SQLITE },
          "SQLite >= 3.51.3 is needed",
        ),
      );
    const mode = options.readOnly ? sqlite3.OPEN_READONLY : sqlite3.OPEN_READWRITE | sqlite3.OPEN_CREATE;
    return new Promise((resolve, reject) => {
      const handle = new sqlite3.Database(file, mode, (error) =>
        error ? reject(sqliteError(error, { file })) : resolve(new SqliteDatabase(file, handle)),
      );
    });
  }

  run(sql: string, params: readonly SqliteValue[] = []): Promise<SqliteOutcome> {
    return this.#queue(() => this.#run(sql, params));
  }

  all<Row>(sql: string, params: readonly SqliteValue[] = []): Promise<Row[]> {
    return this.#queue(() => this.#all<Row>(sql, params));
  }

  async get<Row>(sql: string, params: readonly SqliteValue[] = []): Promise<Row | undefined> {
    return (await this.all<Row>(sql, params))[0];
  }

  exec(sql: string): Promise<void> {
    return this.#queue(() => this.#exec(sql));
  }

  batch(statements: readonly SqliteStatement[]): Promise<readonly SqliteOutcome[]> {
    return this.#queue(async () => {
      await this.#exec("BEGIN IMMEDIATE");
      try {
        const outcomes: SqliteOutcome[] = [];
        for (const { sql, params } of statements) outcomes.push(await this.#run(sql, params ?? []));
        await this.#exec("COMMIT");
        return outcomes;
      } catch (error) {
        // SQLite may have rolled back by itself (disk full): then this fails, and the first error is the one that counts.
        await this.#exec("ROLLBACK").catch(() => undefined);
        throw error;
      }
    });
  }

  close(): Promise<void> {
    this.#closing ??= this.#tail.then(async () => {
      for (const statement of this.#prepared.values())
        await new Promise<void>((done) => statement.finalize(() => done()));
      await new Promise<void>((resolve, reject) =>
        this.#handle.close((error) => (error ? reject(sqliteError(error, { file: this.file })) : resolve())),
      );
    });
    return this.#closing;
  }

  #queue<T>(work: () => Promise<T>): Promise<T> {
    if (this.#closing)
      return Promise.reject(new SqliteError("sqlite-closed", { file: this.file }, "the connection was closed"));
    if (this.#waiting >= QUEUE_MAX)
      return Promise.reject(new SqliteError("sqlite-queue-full", { file: this.file }, "too many statements wait"));
    this.#waiting += 1;
    const result = this.#tail.then(work);
    const settled = () => {
      this.#waiting -= 1;
    };
    this.#tail = result.then(settled, settled);
    return result;
  }

  #run(sql: string, params: readonly SqliteValue[]): Promise<SqliteOutcome> {
    return new Promise((resolve, reject) => {
      const fail = (error: Error) => reject(sqliteError(error, { file: this.file, sql }));
      this.#statement(sql, fail).run(...params, function (this: sqlite3.RunResult, error: Error | null) {
        if (error) fail(error);
        else resolve({ lastId: this.lastID, changes: this.changes });
      });
    });
  }

  #all<Row>(sql: string, params: readonly SqliteValue[]): Promise<Row[]> {
    return new Promise((resolve, reject) => {
      const fail = (error: Error) => reject(sqliteError(error, { file: this.file, sql }));
      // `all` steps to the end; `get` would leave the statement, and with it a read transaction, open.
      this.#statement(sql, fail).all(...params, (error: Error | null, rows: Row[]) =>
        error ? fail(error) : resolve(rows),
      );
    });
  }

  #exec(sql: string): Promise<void> {
    return new Promise((resolve, reject) =>
      this.#handle.exec(sql, (error) => (error ? reject(sqliteError(error, { file: this.file, sql })) : resolve())),
    );
  }

  /** Prepared once per text; the oldest goes when there are too many (texts are constants, so that is rare). */
  #statement(sql: string, onFault: (error: Error) => void): sqlite3.Statement {
    const known = this.#prepared.get(sql);
    if (known) return known;
    if (this.#prepared.size >= PREPARED_MAX) {
      const [oldest] = this.#prepared.entries();
      if (oldest) {
        this.#prepared.delete(oldest[0]);
        oldest[1].finalize();
      }
    }
    const statement = this.#handle.prepare(sql, (error) => {
      if (!error) return;
      this.#prepared.delete(sql);
      onFault(error);
    });
    this.#prepared.set(sql, statement);
    return statement;
  }
}
