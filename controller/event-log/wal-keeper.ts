import { type SqliteConnection, SqliteError } from "@servofleet/runtime/sqlite";

/** From here the WAL is copied back when nothing waits, */
const PASSIVE_BYTES = 4 * 1024 * 1024;
/** and from here also when something does: an endless WAL fills the disk. */
const TRUNCATE_BYTES = 64 * 1024 * 1024;
const FRAME_BYTES = 4096 + 24;
/** The WAL's length is asked for after so many commits or bytes of rows: the question costs as much as a small commit. */
const LOOK_EVERY_COMMITS = 128;
const LOOK_EVERY_BYTES = 1024 * 1024;
/** TRUNCATE waits for readers; it must not hold up a commit for the writer's whole busy time-out. */
const TRUNCATE_WAIT_MS = 50;

interface Checkpoint {
  readonly busy: number;
  readonly log: number;
  readonly checkpointed: number;
}

/** Bounds the WAL. Only the writer checkpoints, so that no other connection ever resets it under the writer. */
export class WalKeeper {
  readonly #database: SqliteConnection;
  #commits = 0;
  #bytes = 0;
  /** Bytes not yet copied back, and the length, as last seen. */
  #owed = 0;
  #length = 0;

  constructor(database: SqliteConnection) {
    this.#database = database;
  }

  /** Called after every commit. Rejects with SqliteError. A full disk is no failure here: the next commit will tell. */
  async afterCommit(bytes: number, idle: boolean): Promise<void> {
    this.#commits += 1;
    this.#bytes += bytes;
    await this.#keep(idle).catch((error: unknown) => {
      if (!(error instanceof SqliteError) || error.code !== "SQLITE_FULL") throw error;
    });
  }

  async #keep(idle: boolean): Promise<void> {
    if (this.#commits >= LOOK_EVERY_COMMITS || this.#bytes >= LOOK_EVERY_BYTES) await this.#checkpoint("NOOP");
    if (this.#length >= TRUNCATE_BYTES) await this.#truncate();
    else if (idle && this.#owed >= PASSIVE_BYTES) await this.#checkpoint("PASSIVE");
  }

  async #truncate(): Promise<void> {
    await this.#checkpoint("PASSIVE");
    if (this.#owed > 0) return;
    await this.#database.all(`PRAGMA busy_timeout = ${TRUNCATE_WAIT_MS}`);
    await this.#checkpoint("TRUNCATE");
    await this.#database.all("PRAGMA busy_timeout = 5000");
  }

  async #checkpoint(mode: "NOOP" | "PASSIVE" | "TRUNCATE"): Promise<void> {
    this.#commits = 0;
    this.#bytes = 0;
    const seen = await this.#database.get<Checkpoint>(`PRAGMA wal_checkpoint(${mode})`);
    if (!seen || seen.log < 0) return;
    this.#length = seen.log * FRAME_BYTES;
    this.#owed = (seen.log - seen.checkpointed) * FRAME_BYTES;
  }
}
