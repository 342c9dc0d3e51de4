import type { Clock, Timer } from "@servofleet/runtime/clock";
import { ProjectionError } from "./projection-error.ts";
import type { Checkpoint, FormerRow, RowQuery, Snapshot, StoredRows, ViewStore } from "./view-store.ts";

/** Changed rows that may wait for the disk before the log has to wait for it. */
const WAITING_ROWS_MAX = 5000;
/** What a save waits for on the way to the end of the log: changed rows, snapshots, or a way that nobody wants to go twice. */
const WORTH_ROWS = 2000;
const WORTH_SNAPSHOTS = 8;
const WORTH_EVENTS = 50_000;
/**
 * Between two saves of the present. Every event moves the checkpoint of every projection: a transaction for each of them
 * cost the answers more than what they were about. A restart folds what this leaves out.
 */
const REST_MS = 250;
/** Beyond this the file is given up until the next start, which then continues from its old checkpoint. */
const UNSAVED_ROWS_MAX = 50_000;
const RETRY_MS = 1000;

/** What is on its way to the disk. */
interface Unsaved<Row> {
  readonly rows: Map<string, Row | null>;
  readonly former: FormerRow<Row>[];
  readonly snapshots: Snapshot<Row>[];
}
const nothingUnsaved = <Row>(): Unsaved<Row> => ({ rows: new Map(), former: [], snapshots: [] });

/**
 * Saves the rows of one projection behind the answers: memory is right at once, the file follows a moment later. Until
 * then changes collect, so a row that changes again and again is written once per transaction and not per event.
 */
export class WriteBehind<Row> implements StoredRows<Row> {
  readonly store: ViewStore<Row>;
  readonly #clock: Clock;
  readonly #halt: (error: ProjectionError) => void;
  readonly #saved: () => void;
  #waiting: Unsaved<Row> = nothingUnsaved();
  #inFlight: Unsaved<Row> = nothingUnsaved();
  #savedPosition = 0;
  #target: Checkpoint | null = null;
  #lazy = false;
  #running: Promise<void> | null = null;
  #rest: Timer | null = null;
  #retry: Timer | null = null;
  #failing = false;
  #givenUp = false;

  constructor(store: ViewStore<Row>, clock: Clock, halt: (error: ProjectionError) => void, saved: () => void) {
    this.store = store;
    this.#clock = clock;
    this.#halt = halt;
    this.#saved = saved;
  }

  get failing(): boolean {
    return this.#failing || this.#givenUp;
  }

  startAt(checkpoint: Checkpoint): void {
    this.#savedPosition = checkpoint.position;
  }

  put(key: string, row: Row | null): void {
    if (!this.#givenUp) this.#waiting.rows.set(key, row);
  }
  /** A settled row is about to change. */
  putFormer(former: FormerRow<Row>): void {
    if (!this.#givenUp) this.#waiting.former.push(former);
  }
  putSnapshot(snapshot: Snapshot<Row>): void {
    if (!this.#givenUp) this.#waiting.snapshots.push(snapshot);
  }

  async get(key: string): Promise<Row | undefined> {
    for (const { rows } of [this.#waiting, this.#inFlight]) {
      const row = rows.get(key);
      if (row !== undefined) return row ?? undefined;
    }
    return this.store.get(key);
  }

  list(query: RowQuery): Promise<readonly Row[]> {
    return this.store.list(query);
  }

  /** Lets a save up to `target` come; resolves at once unless too much waits. `lazy`: only if it is worth it. */
  async kick(target: Checkpoint, lazy = false): Promise<void> {
    this.#target = target;
    this.#lazy = lazy;
    const { rows } = this.#waiting;
    if (this.#givenUp || this.#retry) {
      if (rows.size > UNSAVED_ROWS_MAX) this.#giveUp();
      return;
    }
    if (!this.#worth(target) && (lazy || this.#rest)) return;
    this.#start(target);
    if (this.#waiting.rows.size > WAITING_ROWS_MAX) await this.#running;
  }

  #worth({ position }: Checkpoint): boolean {
    const { rows, snapshots } = this.#waiting;
    const events = position - this.#savedPosition;
    return rows.size >= WORTH_ROWS || snapshots.length >= WORTH_SNAPSHOTS || events >= WORTH_EVENTS;
  }

  /** Saves all there is; what a failing disk still owes stays in memory. */
  async settle(): Promise<void> {
    await this.#running;
    if (this.#target && !this.#givenUp && !this.#retry) this.#start(this.#target);
    await this.#running;
  }

  async close(): Promise<void> {
    this.#retry?.cancel();
    await this.settle();
    this.#rest?.cancel();
    await this.store.close();
  }

  #start(target: Checkpoint): void {
    if (target.position <= this.#savedPosition) return;
    this.#running ??= this.#save(target).finally(() => {
      this.#running = null;
    });
  }

  async #save(target: Checkpoint): Promise<void> {
    this.#inFlight = this.#waiting;
    this.#waiting = nothingUnsaved();
    try {
      await this.store.save(this.#savedPosition, target, [...this.#inFlight.rows], this.#inFlight);
    } catch (cause) {
      this.#failed(cause);
      return;
    }
    this.#inFlight = nothingUnsaved();
    this.#savedPosition = target.position;
    this.#failing = false;
    this.#saved();
    this.#rest?.cancel();
    this.#rest = this.#clock.after(
      REST_MS,
      () => {
        this.#rest = null;
        // Nobody else comes by when no further event does.
        if (this.#target) void this.kick(this.#target, this.#lazy);
      },
      true,
    );
  }

  #failed(cause: unknown): void {
    // Newer changes of the same rows win over those that could not be saved.
    this.#waiting = joined(this.#inFlight, this.#waiting);
    this.#inFlight = nothingUnsaved();
    this.#failing = true;
    if (cause instanceof ProjectionError) {
      this.#giveUp();
      this.#halt(cause);
      return;
    }
    this.#retry = this.#clock.after(
      RETRY_MS,
      () => {
        this.#retry = null;
        if (this.#target) void this.kick(this.#target);
      },
      true,
    );
  }

  #giveUp(): void {
    this.#givenUp = true;
    this.#waiting = nothingUnsaved();
    this.#saved();
  }
}

const joined = <Row>(older: Unsaved<Row>, newer: Unsaved<Row>): Unsaved<Row> => ({
  rows: new Map([...older.rows, ...newer.rows]),
  former: [...older.former, ...newer.former],
  snapshots: [...older.snapshots, ...newer.snapshots],
});
