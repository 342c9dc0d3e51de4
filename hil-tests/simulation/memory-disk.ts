import { DatabaseSync, type StatementSync } from "node:sqlite";
import type { Random } from "@servofleet/runtime/clock";
import type { SqliteConnection, SqliteOutcome, SqliteStatement, SqliteValue } from "@servofleet/runtime/sqlite";
import { SqliteError } from "@servofleet/runtime/sqlite";
import type { SimLife } from "./sim-life.ts";

/** What is wrong with the disk now. */
export interface DiskFaults {
  full: boolean;
  /** Added to every write and read, ms. */
  slowMs: number;
  /** The next write reports an I/O error; `written` says whether it reached the disk all the same. */
  failNext: "written" | "lost" | null;
}

const READ_MS = 0.05;
/** A commit of a good flash disk: written, and then synced. */
const WRITE_MS = 0.2;
const SYNC_MS = 0.5;
/** Free bytes as the log sees them. */
const ROOMY_BYTES = 1e9;

/**
 * A disk in memory with a real SQLite on it. It outlives the processes: what a process had not synced when it was killed is
 * gone, what it had synced is there, whether or not it was told.
 */
export class MemoryDisk {
  readonly faults: DiskFaults = { full: false, slowMs: 0, failNext: null };
  /** Writes that have not been answered. */
  writing = 0;
  /** Commits whose writer died before it knew of them. */
  untold = 0;
  /** Counts commits, as `PRAGMA data_version` does for a reader. */
  version = 0;
  readonly #database = new DatabaseSync(":memory:");
  readonly #statements = new Map<string, StatementSync>();
  readonly #random: Random;

  constructor(random: Random) {
    this.#random = random;
  }

  /** A connection of that process. */
  connect(life: SimLife): SqliteConnection {
    return new MemoryConnection(this, life);
  }

  freeBytes(): number {
    return this.faults.full ? 0 : ROOMY_BYTES;
  }

  delayMs(base: number): number {
    const { slowMs } = this.faults;
    return base * (0.5 + this.#random.next()) + slowMs * (0.5 + this.#random.next());
  }

  rows<Row>(sql: string, params: readonly SqliteValue[]): Row[] {
    return this.#prepare(sql).all(...params) as Row[];
  }

  run(sql: string, params: readonly SqliteValue[]): SqliteOutcome {
    const { changes, lastInsertRowid } = this.#prepare(sql).run(...params);
    return { changes: Number(changes), lastId: Number(lastInsertRowid) };
  }

  exec(sql: string): void {
    this.#database.exec(sql);
  }

  close(): void {
    this.#database.close();
  }

  #prepare(sql: string): StatementSync {
    const known = this.#statements.get(sql) ?? this.#database.prepare(sql);
    this.#statements.set(sql, known);
    return known;
  }
}

/** One process's way to the disk: statements one after the other, each with the time that a disk takes. */
class MemoryConnection implements SqliteConnection {
  readonly #disk: MemoryDisk;
  readonly #life: SimLife;
  #tail: Promise<unknown> = Promise.resolve();

  constructor(disk: MemoryDisk, life: SimLife) {
    this.#disk = disk;
    this.#life = life;
  }

  run(sql: string, params: readonly SqliteValue[] = []): Promise<SqliteOutcome> {
    return this.#queue(() => this.#write(() => this.#disk.run(sql, params)));
  }

  all<Row>(sql: string, params: readonly SqliteValue[] = []): Promise<Row[]> {
    return this.#queue(async () => {
      await this.#pass(READ_MS);
      return this.#disk.rows<Row>(sql, params);
    });
  }

  async get<Row>(sql: string, params: readonly SqliteValue[] = []): Promise<Row | undefined> {
    return (await this.all<Row>(sql, params))[0];
  }

  exec(sql: string): Promise<void> {
    return this.#queue(() => this.#write(() => this.#disk.exec(sql)));
  }

  batch(statements: readonly SqliteStatement[]): Promise<readonly SqliteOutcome[]> {
    return this.#queue(() =>
      this.#write(() => {
        this.#disk.exec("BEGIN IMMEDIATE");
        const outcomes = statements.map(({ sql, params }) => this.#disk.run(sql, params ?? []));
        this.#disk.exec("COMMIT");
        return outcomes;
      }),
    );
  }

  async close(): Promise<void> {
    await this.#tail;
  }

  async #write<T>(act: () => T): Promise<T> {
    const disk = this.#disk;
    disk.writing++;
    try {
      await this.#pass(WRITE_MS);
      if (disk.faults.full) throw new SqliteError("SQLITE_FULL", {}, "no space left on the simulated disk");
      await this.#pass(SYNC_MS);
      const failing = disk.faults.failNext;
      disk.faults.failNext = null;
      if (failing === "lost") throw ioError();
      const done = await this.#once("commit", act);
      disk.version++;
      if (!this.#life.alive) disk.untold++;
      if (failing === "written") throw ioError();
      await this.#pass(READ_MS);
      return done;
    } finally {
      disk.writing--;
    }
  }

  /** The moment after which it is on the disk; a process that dies before it never hears. */
  #once<T>(step: "commit", act: () => T): Promise<T> {
    return new Promise((resolve, reject) => {
      this.#life.does(step, () => {
        try {
          resolve(act());
        } catch (error) {
          reject(error);
        }
      });
    });
  }

  #pass(ms: number): Promise<void> {
    return new Promise((resolve) => this.#life.after(this.#disk.delayMs(ms), resolve));
  }

  #queue<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#tail.then(work);
    this.#tail = result.then(
      () => undefined,
      () => undefined,
    );
    return result;
  }
}

const ioError = (): SqliteError => new SqliteError("SQLITE_IOERR", {}, "the simulated disk reported an I/O error");
