import type { RecordedEvent } from "@servofleet/contracts";
import type { Clock } from "@servofleet/runtime/clock";
import { type SqliteConnection, SqliteError } from "@servofleet/runtime/sqlite";
import type { Waiter } from "./commit-queue.ts";
import { LogError } from "./event-log.ts";
import { refusedCalls } from "./refused-calls.ts";
import { type LogHead, type Sealed, sealEvents } from "./seal-events.ts";

/** Stream versions kept in memory; beyond it the oldest is looked up again when needed. */
const VERSIONS_MAX = 8192;
const BUSY_RETRIES_MAX = 3;
const NO_IDS: ReadonlySet<string> = new Set();

/** One statement is one commit. Never OR IGNORE: a refused row would burn its position. */
const INSERT = `
INSERT INTO events(position, stream, version, id, type, schema, wall_us, mono_ns, boot, epoch,
                   command_id, correlation, causation, actor, trace, data, hash)
SELECT value->>0, value->>1, value->>2, value->>3, value->>4, value->>5, value->>6, CAST(value->>7 AS INTEGER), value->>8,
       value->>9, value->>10, value->>11, value->>12, value->>13, value->>14, value->>15, unhex(value->>16)
FROM json_each(?1) WHERE (SELECT writer_epoch FROM log_meta) = ?2 ORDER BY key`;
const KNOWN_IDS = "SELECT id FROM events WHERE id IN (SELECT value FROM json_each(?1))";
const NEWEST_VERSIONS = `SELECT value AS stream, coalesce(
    (SELECT max(version) FROM events WHERE stream = value),
    (SELECT version FROM log_streams WHERE stream = value)) AS version
  FROM json_each(?1)`;
/** Writes a page without changing anything. */
const PROBE = "UPDATE log_meta SET writer_epoch = writer_epoch WHERE writer_epoch = ?1";

export interface LogWriterParts {
  readonly writer: SqliteConnection;
  readonly reader: SqliteConnection;
  readonly clock: Clock;
  readonly head: LogHead;
  readonly epoch: number;
  readonly boot: string;
  readonly newId: () => string;
}

/** How one commit settled its calls. */
export interface Committed {
  readonly written: readonly (readonly [Waiter, readonly RecordedEvent[]])[];
  /** Calls left out, and why. */
  readonly refused: readonly (readonly [Waiter, LogError])[];
  /** About what went to the disk. */
  readonly bytes: number;
}

/** Writes one commit at a time and knows where the log ends. */
export class LogWriter {
  readonly #parts: LogWriterParts;
  readonly #versions = new Map<string, number>();
  #head: LogHead;

  constructor(parts: LogWriterParts) {
    this.#parts = parts;
    this.#head = parts.head;
  }

  get head(): LogHead {
    return this.#head;
  }

  /**
   * Rejects with LogError `log-full` or `log-busy` when nothing was written, `log-poisoned` (fenced) or SqliteError when
   * that is not known or the log must not be trusted any more.
   */
  async commit(waiters: readonly Waiter[]): Promise<Committed> {
    await this.#loadVersions(waiters);
    try {
      return await this.#commit(waiters, NO_IDS);
    } catch (error) {
      // Repeats are rare, so the index is only asked when it has refused: the statement is undone as a whole then.
      if (!(error instanceof SqliteError) || error.code !== "SQLITE_CONSTRAINT") throw error;
      const known = await this.#knownIds(waiters);
      if (known.size === 0) throw error;
      return this.#commit(waiters, known);
    }
  }

  /** Leaves out the calls that repeat an id or meet another version, so that one caller's mistake never fails the others. */
  async #commit(waiters: readonly Waiter[], ids: ReadonlySet<string>): Promise<Committed> {
    const refused = refusedCalls(waiters, { ids, versionOf: (stream) => this.#versions.get(stream) ?? 0 });
    const good = waiters.filter((waiter) => !refused.has(waiter));
    if (good.length === 0) return { written: [], refused: [...refused], bytes: 0 };
    const prepared = good.flatMap((waiter) => waiter.prepared);
    const { clock, epoch, boot, newId } = this.#parts;
    const sealed = sealEvents(prepared, {
      head: this.#head,
      epoch,
      boot,
      wallUs: clock.wallUs(),
      monoNs: String(clock.monotonicNs()),
      versionOf: (stream) => this.#versions.get(stream) ?? 0,
      newId,
    });
    await this.#insert(sealed);
    this.#head = sealed.head;
    for (const [stream, version] of sealed.versions) this.#versions.set(stream, version);
    let from = 0;
    const written = good.map((waiter) => {
      const events = sealed.events.slice(from, from + waiter.prepared.length);
      from += waiter.prepared.length;
      return [waiter, events] as const;
    });
    return { written, refused: [...refused], bytes: sealed.payload.length };
  }

  /** Finds out whether the disk takes a write again. Rejects as `commit` does. */
  async probe(): Promise<void> {
    const { changes } = await this.#run(PROBE, [this.#parts.epoch]);
    if (changes !== 1) throw this.#fenced();
  }

  async #insert({ events, head, payload }: Sealed): Promise<void> {
    const { changes, lastId } = await this.#run(INSERT, [payload, this.#parts.epoch]);
    if (changes === 0) throw this.#fenced();
    if (changes !== events.length || lastId !== head.position)
      throw new LogError(
        "log-poisoned",
        { changes, lastId, expected: { changes: events.length, lastId: head.position } },
        "the log is not as its writer left it: run log verify",
      );
  }

  #fenced(): LogError {
    return new LogError("log-poisoned", { epoch: this.#parts.epoch }, "a newer writer has taken the log over");
  }

  async #run(sql: string, params: readonly (string | number)[]): Promise<{ changes: number; lastId: number }> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.#parts.writer.run(sql, params);
      } catch (error) {
        const code = error instanceof SqliteError ? error.code : undefined;
        // After these two SQLite has rolled back: nothing is in the log.
        if (code === "SQLITE_FULL")
          throw new LogError(
            "log-full",
            {},
            "no space left in the data directory: make room; motion is refused until then",
          );
        if (code !== "SQLITE_BUSY") throw error;
        if (attempt >= BUSY_RETRIES_MAX)
          throw new LogError("log-busy", { attempt }, "another process holds the log: find it");
      }
    }
  }

  async #knownIds(waiters: readonly Waiter[]): Promise<ReadonlySet<string>> {
    const asked = waiters.flatMap(({ prepared }) => prepared.flatMap(({ id }) => (id === undefined ? [] : [id])));
    const rows = await this.#parts.reader.all<{ id: string }>(KNOWN_IDS, [JSON.stringify(asked)]);
    return new Set(rows.map(({ id }) => id));
  }

  async #loadVersions(waiters: readonly Waiter[]): Promise<void> {
    const streams = new Set(waiters.flatMap(({ prepared }) => prepared.map(({ stream }) => stream as string)));
    for (const { expected } of waiters) for (const stream of Object.keys(expected ?? {})) streams.add(stream);
    const missing = [...streams].filter((stream) => !this.#versions.has(stream));
    if (missing.length === 0) return;
    const rows = await this.#parts.reader.all<{ stream: string; version: number | null }>(NEWEST_VERSIONS, [
      JSON.stringify(missing),
    ]);
    for (const oldest of this.#versions.keys()) {
      if (this.#versions.size + rows.length <= VERSIONS_MAX) break;
      if (!streams.has(oldest)) this.#versions.delete(oldest);
    }
    for (const { stream, version } of rows) this.#versions.set(stream, version ?? 0);
  }
}
