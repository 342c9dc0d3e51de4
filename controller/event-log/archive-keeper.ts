import { type Clock, sleep, type Timer } from "@servofleet/runtime/clock";
import { genesisHash, SELECT_LINEAGE } from "@servofleet/runtime/log-schema";
import type { SqliteConnection } from "@servofleet/runtime/sqlite";
import { type ArchiveTools, type MadeArchive, makeArchive } from "./archive-file.ts";
import { isArchiveDue, type LogRetention, nextArchive } from "./archive-plan.ts";
import { LogError } from "./event-log.ts";

const LOOK_EVERY_MS = 60_000;
/** What failed once fails again soon, and sealing is work for the disk. */
const REST_AFTER_FAILURE_MS = 3_600_000;
/** Rows of one delete: a commit of the log waits behind it. */
const DELETE_ROWS = 200;
const DELETE_BYTES_PER_ROW = 1000;
const PAUSE_MS = 5;

const LIST = `INSERT INTO log_archives(first_position, last_position, file, previous_hash, last_hash)
  SELECT ?1, ?2, ?3, ?4, ?5 WHERE (SELECT writer_epoch FROM log_meta) = ?6`;
const KEEP_VERSIONS = `INSERT INTO log_streams(stream, version) SELECT value->>'stream', value->>'version' FROM json_each(?1) WHERE true
  ON CONFLICT(stream) DO UPDATE SET version = max(version, excluded.version)`;
const DELETE_SOME = `DELETE FROM events WHERE position IN
  (SELECT position FROM events WHERE position <= ?1 ORDER BY position LIMIT ${DELETE_ROWS})`;
const DELETE_CHECKPOINTS =
  "DELETE FROM log_checkpoints WHERE position <= ?1 AND serial < (SELECT max(serial) FROM log_checkpoints)";
const HOT = `SELECT (SELECT max(last_position) FROM log_archives) AS archived,
  (SELECT last_hash FROM log_archives ORDER BY first_position DESC LIMIT 1) AS archivedHash,
  (SELECT min(position) FROM events) AS oldest, (SELECT max(position) FROM events) AS newest`;

export interface ArchiveKeeperParts extends ArchiveTools {
  readonly writer: SqliteConnection;
  readonly reader: SqliteConnection;
  readonly clock: Clock;
  /** The hot file. */
  readonly file: string;
  readonly logId: string;
  readonly epoch: number;
  readonly retention: LogRetention;
  /** Told of about so many bytes written, as the WAL must be kept bounded. */
  readonly afterWrite: (bytes: number) => Promise<void>;
  /** The log is in trouble: nothing may be written beside its own business. */
  readonly halted: () => boolean;
  readonly onFailure: (error: unknown) => void;
}

interface Hot {
  readonly archived: number | null;
  readonly archivedHash: string | null;
  readonly oldest: number | null;
  readonly newest: number | null;
}

/** Keeps the hot file bounded: seals old events into archives, and only then lets them go. */
export class ArchiveKeeper {
  readonly #parts: ArchiveKeeperParts;
  readonly #timer: Timer;
  #working: Promise<void> | undefined;
  #closed = false;
  #restUntilMs = 0;

  constructor(parts: ArchiveKeeperParts) {
    this.#parts = parts;
    this.#timer = parts.clock.every(LOOK_EVERY_MS, () => this.#lookUnlessResting());
  }

  /** Seals what is due and finishes what a former run began; never two at a time. Rejects with SqliteError, LogError or LogOpenError. */
  look(): Promise<void> {
    this.#working ??= this.#work().finally(() => {
      this.#working = undefined;
    });
    return this.#working;
  }

  #lookUnlessResting(): void {
    const { clock, onFailure } = this.#parts;
    if (clock.monotonicMs() < this.#restUntilMs) return;
    void this.look().catch((error: unknown) => {
      this.#restUntilMs = clock.monotonicMs() + REST_AFTER_FAILURE_MS;
      onFailure(error);
    });
  }

  get #over(): boolean {
    return this.#closed || this.#parts.halted();
  }

  /** Ends after the step under way. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#timer.cancel();
    await this.#working?.catch(() => undefined);
  }

  async #work(): Promise<void> {
    while (!this.#over) {
      await this.#letGo();
      const wish = await this.#due();
      if (!wish || this.#over) return;
      const made = await makeArchive(wish, this.#parts);
      // What was made and never listed is made anew by the next run.
      if (this.#over) return;
      await this.#list(made);
      this.#parts.onStep?.("listed");
    }
  }

  async #due() {
    const { reader, clock, retention, file, logId } = this.#parts;
    const found = await this.#hot();
    const hot = { first: (found.archived ?? 0) + 1, newest: found.newest ?? 0 };
    const range = nextArchive(hot, retention);
    if (!range) return undefined;
    const last = await reader.get<{ wallUs: number }>("SELECT wall_us AS wallUs FROM events WHERE position = ?1", [
      range.last,
    ]);
    if (!last || !isArchiveDue(hot, last.wallUs, clock.wallUs(), retention)) return undefined;
    const previousHash = found.archivedHash ?? (await this.#genesis());
    return { hot: file, logId, first: range.first, last: range.last, previousHash };
  }

  async #genesis(): Promise<string> {
    const origin = await this.#parts.reader.get<{ logId: string }>(SELECT_LINEAGE);
    return genesisHash(origin?.logId ?? this.#parts.logId);
  }

  async #hot(): Promise<Hot> {
    return (
      (await this.#parts.reader.get<Hot>(HOT)) ?? { archived: null, archivedHash: null, oldest: null, newest: null }
    );
  }

  /** From this commit on the archive holds its rows. */
  async #list(made: MadeArchive): Promise<void> {
    const { writer, epoch } = this.#parts;
    const { firstPosition, lastPosition, file, previousHash, lastHash, streams } = made;
    const [listed] = await writer.batch([
      { sql: LIST, params: [firstPosition, lastPosition, file, previousHash, lastHash, epoch] },
      { sql: KEEP_VERSIONS, params: [JSON.stringify(streams)] },
    ]);
    if (listed?.changes !== 1) throw new LogError("log-poisoned", { epoch }, "a newer writer has taken the log over");
  }

  /** Deletes what archives hold, a little at a time. */
  async #letGo(): Promise<void> {
    const { writer, clock, afterWrite, onStep } = this.#parts;
    const { archived, oldest } = await this.#hot();
    if (archived === null || oldest === null || oldest > archived) return;
    while (!this.#over) {
      const { changes } = await writer.run(DELETE_SOME, [archived]);
      await afterWrite(changes * DELETE_BYTES_PER_ROW);
      if (changes < DELETE_ROWS) break;
      onStep?.("some-deleted");
      await sleep(clock, PAUSE_MS);
    }
    if (this.#over) return;
    await writer.run(DELETE_CHECKPOINTS, [archived]);
    onStep?.("deleted");
  }
}
