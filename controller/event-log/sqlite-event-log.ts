import { dirname, join } from "node:path";
import { eventChecker, type RecordedEvent, type StreamName } from "@servofleet/contracts";
import type { Clock, Random } from "@servofleet/runtime/clock";
import type { LockFile } from "@servofleet/runtime/lock-file";
import { LogArchives } from "@servofleet/runtime/log-archives";
import { type LogQueries, logQueries } from "@servofleet/runtime/log-queries";
import { uuidV7 } from "@servofleet/runtime/random-id";
import { type SqliteConnection, SqliteError } from "@servofleet/runtime/sqlite";
import type { SealStep } from "./archive-file.ts";
import { ArchiveKeeper } from "./archive-keeper.ts";
import type { LogRetention } from "./archive-plan.ts";
import { type CheckpointCadence, CheckpointKeeper } from "./checkpoint-keeper.ts";
import { CommitQueue, QUEUE_EVENTS_MAX, type Waiter } from "./commit-queue.ts";
import { type AppendOptions, type EventLog, LogError, type LogErrorCode, type NewEvent } from "./event-log.ts";
import type { LogSigner } from "./log-key.ts";
import { FileSnapshots, SNAPSHOT_FILE } from "./log-snapshots.ts";
import { LogWriter } from "./log-writer.ts";
import { prepareEvent } from "./prepared-event.ts";
import type { LogHead } from "./seal-events.ts";
import { SpaceWatch } from "./space-watch.ts";
import { WalKeeper } from "./wal-keeper.ts";

/** Queued appends are given this long to reach the disk when the log is closed. */
const CLOSE_LIMIT_MS = 10_000;

export interface SqliteEventLogParts {
  readonly logId: string;
  readonly epoch: number;
  readonly boot: string;
  readonly head: LogHead;
  readonly writer: SqliteConnection;
  readonly reader: SqliteConnection;
  readonly lock: LockFile;
  readonly clock: Clock;
  readonly random: Random;
  readonly freeSpace: () => Promise<number>;
  readonly reserveBytes: number | undefined;
  readonly signer: LogSigner;
  readonly cadence: CheckpointCadence;
  readonly file: string;
  readonly retention: LogRetention;
  readonly onSealStep?: ((step: SealStep) => void) | undefined;
}

/** The event log on SQLite with group commit: while one commit is on its way to the disk, the next batch collects. */
export class SqliteEventLog implements EventLog {
  readonly logId: string;
  readonly epoch: number;
  readonly boot: string;
  readonly snapshots: FileSnapshots;
  readonly #parts: SqliteEventLogParts;
  readonly #check = eventChecker();
  readonly #queue = new CommitQueue();
  readonly #queries: LogQueries;
  readonly #writer: LogWriter;
  readonly #wal: WalKeeper;
  readonly #space: SpaceWatch;
  readonly #archives: LogArchives;
  readonly #archiving: ArchiveKeeper;
  #checkpoints: CheckpointKeeper | undefined;
  #inFlight: readonly Waiter[] = [];
  #full = false;
  #poison: LogError | undefined;
  #pumping: Promise<void> | undefined;
  #closing: Promise<void> | undefined;

  private constructor(parts: SqliteEventLogParts) {
    this.#parts = parts;
    this.logId = parts.logId;
    this.epoch = parts.epoch;
    this.boot = parts.boot;
    this.#archives = new LogArchives(parts.reader, dirname(parts.file));
    this.#queries = logQueries(parts.reader, this.#archives);
    const { clock, random, writer, reader, head, epoch, boot } = parts;
    this.#writer = new LogWriter({ writer, reader, clock, head, epoch, boot, newId: () => uuidV7(clock, random) });
    this.#wal = new WalKeeper(writer);
    this.snapshots = new FileSnapshots({
      file: join(dirname(parts.file), SNAPSHOT_FILE),
      clock,
      newest: () => this.position,
      read: this.#queries.readAfter,
    });
    this.#archiving = new ArchiveKeeper({
      ...parts,
      ...(parts.onSealStep ? { onStep: parts.onSealStep } : {}),
      halted: () => this.trouble !== null,
      afterWrite: (bytes) => this.#wal.afterCommit(bytes, true),
      onFailure: (error) => this.#sealingFailed(error),
    });
    this.#space = new SpaceWatch(clock, parts.freeSpace, () => this.#retryWhenFull(), parts.reserveBytes);
  }

  static async start(parts: SqliteEventLogParts): Promise<SqliteEventLog> {
    const log = new SqliteEventLog(parts);
    await log.#space.look();
    log.#checkpoints = await CheckpointKeeper.start({
      ...parts,
      head: () => log.#writer.head,
      halted: () => log.#poison !== undefined,
      onFailure: (error) => log.#failed(error, []),
    });
    return log;
  }

  get position(): number {
    return this.#writer.head.position;
  }

  get trouble(): LogErrorCode | null {
    if (this.#poison) return "log-poisoned";
    return this.#full || this.#space.low ? "log-full" : null;
  }

  async append(events: readonly NewEvent[], options: AppendOptions = {}): Promise<readonly RecordedEvent[]> {
    if (this.#poison) throw this.#poison;
    if (this.#closing) throw closedError();
    if (events.length === 0) return [];
    const prepared = events.map((event) => prepareEvent(event, this.#check));
    const bytes = prepared.reduce((sum, { dataText }) => sum + dataText.length, 0);
    return new Promise((resolve, reject) => {
      const waiter = { prepared, bytes, expected: options.expected, resolve, reject };
      if (!this.#queue.add(waiter, options.priority === true)) return reject(busyError());
      this.#pumping ??= this.#pump();
    });
  }

  findById = (id: string): Promise<RecordedEvent | undefined> => this.#queries.findById(id);
  read = (afterPosition: number, limit: number): Promise<readonly RecordedEvent[]> =>
    this.#queries.readAfter(afterPosition, limit);
  readStream = (stream: StreamName, afterVersion: number, limit: number): Promise<readonly RecordedEvent[]> =>
    this.#queries.readStream(stream, afterVersion, limit);
  readCommand = (commandId: string): Promise<readonly RecordedEvent[]> => this.#queries.readCommand(commandId);

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #pump(): Promise<void> {
    // Appends of the same turn share the first commit.
    await Promise.resolve();
    while (!this.#queue.empty && !this.#poison) {
      const waiters = this.#queue.take();
      try {
        this.#inFlight = waiters;
        const bytes = await this.#commit(waiters);
        this.#full = false;
        await this.#checkpoints?.afterCommit();
        await this.#wal.afterCommit(bytes, this.#queue.empty);
      } catch (error) {
        this.#failed(error, waiters);
      }
    }
    this.#pumping = undefined;
  }

  /** Seals what is due now instead of with the next look. */
  archive(): Promise<void> {
    return this.#archiving.look();
  }

  /** What fails on an archive file leaves the log as it was, and is tried again; what fails on the log's own file kills it. */
  #sealingFailed(error: unknown): void {
    const ours = error instanceof SqliteError && error.facts["file"] === this.#parts.file;
    const passes = error instanceof SqliteError && (error.code === "SQLITE_FULL" || error.code === "SQLITE_BUSY");
    if ((ours && !passes) || error instanceof LogError) this.#failed(error, []);
  }

  /** Settles the calls; gives the bytes that were written. */
  async #commit(waiters: readonly Waiter[]): Promise<number> {
    const { written, refused, bytes } = await this.#writer.commit(waiters);
    for (const [waiter, error] of refused) waiter.reject(error);
    for (const [waiter, events] of written) waiter.resolve(events);
    return bytes;
  }

  /** What a failure kills: `log-full` and `log-busy` this commit, everything else the log. */
  #failed(error: unknown, waiters: readonly Waiter[]): void {
    const failure = error instanceof LogError ? error : poisonError(error);
    if (failure.code === "log-full") this.#full = true;
    if (failure.code === "log-poisoned") this.#poisonWith(failure);
    for (const waiter of waiters) waiter.reject(failure);
  }

  #poisonWith(failure: LogError): void {
    this.#poison ??= failure;
    for (const waiter of [...this.#inFlight, ...this.#queue.clear()]) waiter.reject(failure);
  }

  /** After SQLITE_FULL nobody may append any more, so the log itself finds out whether it can write again. */
  #retryWhenFull(): void {
    if (!this.#full || this.#space.low || this.#poison || this.#closing) return;
    this.#pumping ??= this.#writer
      .probe()
      .then(
        () => {
          this.#full = false;
        },
        (error: unknown) => this.#failed(error, []),
      )
      .then(() => this.#pump());
  }

  async #close(): Promise<void> {
    const { clock, reader, writer, lock } = this.#parts;
    await this.#space.close();
    const sealed = Promise.all([this.#archiving.close(), this.snapshots.close()]);
    const stuck = await new Promise<boolean>((resolve) => {
      const limit = clock.after(CLOSE_LIMIT_MS, () => resolve(true), true);
      void Promise.all([this.#pumping, sealed]).then(() => {
        limit.cancel();
        resolve(false);
      });
    });
    // A disk that never answers would keep the connections, too: their end is the end of the process.
    if (stuck) return this.#poisonWith(poisonError("the disk did not answer in time"));
    await this.#checkpoints?.close();
    // An orderly end leaves nothing unsigned; where the disk refuses, the next start signs.
    await this.#checkpoints?.sign().catch(() => undefined);
    await this.#archives.close();
    await reader.close();
    await writer.close();
    await lock.release();
  }
}

const closedError = (): LogError => new LogError("log-closed", {}, "the controller is shutting down");
const busyError = (): LogError =>
  new LogError(
    "log-busy",
    { waiting: QUEUE_EVENTS_MAX },
    "the disk is slower than what is asked of it: try again soon",
  );
const poisonError = (cause: unknown): LogError =>
  new LogError(
    "log-poisoned",
    { cause: cause instanceof Error ? cause.message : String(cause) },
    "the disk failed under the event log: outcome unknown, retry with the same key after the restart",
  );
