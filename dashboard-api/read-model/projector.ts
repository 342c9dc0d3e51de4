import { EVENT_SCHEMAS, type RecordedEvent, typed } from "@servofleet/contracts";
import type { Clock } from "@servofleet/runtime/clock";
import { eventVersion } from "@servofleet/runtime/log-upcast";
import { canonicalDump } from "./canonical-dump.ts";
import { logPages } from "./log-pages.ts";
import type { LogSource } from "./log-source.ts";
import type { Projection } from "./projection.ts";
import { ProjectionError } from "./projection-error.ts";
import { ResidentRows } from "./resident-rows.ts";
import type { Checkpoint, RowQuery, Snapshot, StoredRows, ViewStore } from "./view-store.ts";
import { WriteBehind } from "./write-behind.ts";

/** Longest stretch of the loop that a catch-up takes before others get a turn. */
const SLICE_MS = 20;
/** Events between two looks at the clock: some ten of them take a fraction of a millisecond. */
const LOOK_EVENTS = 32;
const ROWS_PAGE = 1000;
/** Events between two snapshots: the past is never further away than a fold of so many. */
export const SNAPSHOT_EVENTS = 2000;

/** Runs one projection: keeps its place in the log, its rows in memory and on disk. Halts alone when it cannot go on. */
export class Projector<Row> {
  readonly projection: Projection<Row>;
  readonly rows: ResidentRows<Row>;
  readonly #clock: Clock;
  readonly #disk: WriteBehind<Row> | null;
  readonly #snapshotEvents: number;
  #stored: StoredRows<Row> | null;
  readonly #logId: string;
  // Two fields and no object: every event of a rebuild moves them once per projection.
  #position = 0;
  #hash = "";
  #halted: ProjectionError | null = null;
  #behindSinceMs: number | null = null;

  /** Without a store it lives in memory only (time travel). */
  constructor(
    projection: Projection<Row>,
    logId: string,
    clock: Clock,
    store: ViewStore<Row> | null = null,
    snapshotEvents = SNAPSHOT_EVENTS,
  ) {
    this.projection = projection;
    this.#snapshotEvents = snapshotEvents;
    this.rows = new ResidentRows(projection);
    this.#clock = clock;
    this.#logId = logId;
    this.#disk =
      store &&
      new WriteBehind(
        store,
        clock,
        (error) => this.#halt(error),
        () => this.rows.evict(),
      );
    this.#stored = this.#disk;
  }

  /** The past: goes on from a snapshot instead of the first event, in memory. `settled` are the rows it left out. */
  startFrom(snapshot: Snapshot<Row>, settled: StoredRows<Row>): void {
    // What is born later is all in memory; where no row is ever settled, all the others are too.
    const floorRank = Number.isFinite(this.projection.residentMax) ? snapshot.position + 1 : 0;
    this.rows.load(snapshot.rows, floorRank);
    this.#position = snapshot.position;
    this.#hash = snapshot.hash;
    this.#stored = settled;
  }

  get position(): number {
    return this.#position;
  }
  get #checkpoint(): Checkpoint {
    return { logId: this.#logId, position: this.#position, hash: this.#hash };
  }
  get halted(): ProjectionError | null {
    return this.#halted;
  }
  /** False when the file cannot be written: answers stay right, a restart takes longer. */
  get persisted(): boolean {
    return this.#disk === null || !this.#disk.failing;
  }
  /** Time since it last stood at the end of the log, ms; grows while it is halted. */
  lagMs(nowMs: number): number {
    return this.#behindSinceMs === null ? 0 : Math.max(0, nowMs - this.#behindSinceMs);
  }

  /** Called when the log is known to be longer, or not known at all. */
  markBehind(): void {
    this.#behindSinceMs ??= this.#clock.monotonicMs();
  }
  markCaughtUp(): void {
    if (this.#halted !== null || this.#behindSinceMs === null) return;
    this.#behindSinceMs = null;
    void this.#disk?.kick(this.#checkpoint);
  }

  /** Continues from the stored checkpoint if it belongs to this log, else starts from zero with an empty file. */
  async open(log: LogSource): Promise<"continued" | "rebuilding"> {
    const stored = await this.#disk?.store.checkpoint();
    if (stored && (await belongsTo(log, stored))) {
      const { rows, floorRank } = await this.#diskStore().resident();
      this.rows.load(rows, floorRank);
      this.#position = stored.position;
      this.#hash = stored.hash;
      this.#disk?.startAt(stored);
      return "continued";
    }
    if (stored) await this.#disk?.store.wipe();
    return "rebuilding";
  }

  /** Takes the next events, in order and without hole. Never rejects: what goes wrong halts this projection alone. */
  async handle(events: readonly RecordedEvent[]): Promise<void> {
    let sliceEndMs = this.#clock.monotonicMs() + SLICE_MS;
    for (const event of events) {
      if (this.#halted) return;
      try {
        const key = this.#stored && this.projection.refersTo(typed(event));
        if (key != null && this.rows.get(key) === undefined) await this.#invite(key);
        this.#apply(event);
      } catch (cause) {
        this.#halt(cause);
      }
      if (event.position % LOOK_EVENTS !== 0 || this.#clock.monotonicMs() < sliceEndMs) continue;
      await new Promise<void>((resolve) => this.#clock.soon(resolve));
      sliceEndMs = this.#clock.monotonicMs() + SLICE_MS;
    }
    // On the way to the end of the log a row changes again and again: it is written once it is worth a transaction.
    await this.#disk?.kick(this.#checkpoint, this.#behindSinceMs !== null);
  }

  #apply(event: RecordedEvent): void {
    const expected = this.#position + 1;
    if (event.position !== expected)
      throw new ProjectionError(
        "position-gap",
        { expected, got: event.position },
        "the log has a hole or is another one",
      );
    if (!(event.type in EVENT_SCHEMAS) || event.schema !== eventVersion(event.type))
      throw new ProjectionError(
        "event-refused",
        { position: event.position, type: event.type, schema: event.schema },
        "this version does not know the event; update the dashboard service",
      );
    const { position, hash } = event;
    for (const [key, row] of this.projection.project(this.rows, typed(event))) {
      this.#keepFormer(key, position);
      this.rows.set(key, row);
      this.#disk?.put(key, row);
    }
    this.#position = position;
    this.#hash = hash;
    if (position % this.#snapshotEvents === 0 && this.#disk)
      this.#disk.putSnapshot({ position, hash, rows: this.rows.unsettled() });
  }

  /** The past reads settled rows from where they are now: what changes after all is kept as it was. */
  #keepFormer(key: string, until: number): void {
    const row = this.#disk ? this.rows.get(key) : undefined;
    if (row !== undefined && this.projection.settled(row)) this.#disk?.putFormer({ key, until, row });
  }

  async #invite(key: string): Promise<void> {
    const row = await this.#stored?.get(key);
    if (row === undefined) return;
    // Without a file of its own nothing is ever moved out of memory.
    if (this.#disk) this.rows.invite(key, row);
    else this.rows.set(key, row);
  }

  #halt(cause: unknown): void {
    this.markBehind();
    this.#halted ??=
      cause instanceof ProjectionError
        ? cause
        : new ProjectionError(
            "event-refused",
            { position: this.position + 1, reason: String(cause) },
            "read the log with `servofleet events`, then restart the dashboard service",
            cause,
          );
  }

  /** One row, from memory or else from disk. */
  async find(key: string): Promise<Row | undefined> {
    return this.rows.get(key) ?? (await this.#stored?.get(key));
  }

  /** Rows on disk of a lower rank than everything in memory. */
  async older(query: RowQuery): Promise<readonly Row[]> {
    return this.#stored?.list(query) ?? [];
  }

  /** The whole state as canonical text, rows on disk included. */
  async dump(): Promise<string> {
    await this.flush();
    const rows = new Map(this.#disk ? await allRows(this.#disk.store) : []);
    for (const [key, row] of this.rows.entries()) rows.set(key, row);
    return canonicalDump(rows);
  }

  /** Where its past lies; null in memory only. */
  get store(): ViewStore<Row> | null {
    return this.#disk?.store ?? null;
  }

  /** Resolves when all it knows is in its file; a failing disk still owes it. */
  async flush(): Promise<void> {
    await this.#disk?.settle();
  }

  async close(): Promise<void> {
    await this.#disk?.close();
  }

  #diskStore(): ViewStore<Row> {
    if (!this.#disk) throw new ProjectionError("store-failed", {}, "this projection has no store");
    return this.#disk.store;
  }
}

/** Every stored row, in order of key. */
async function allRows<Row>(store: ViewStore<Row>): Promise<(readonly [string, Row])[]> {
  const rows: (readonly [string, Row])[] = [];
  for (;;) {
    const page = await store.page(rows.at(-1)?.[0] ?? "", ROWS_PAGE);
    rows.push(...page);
    if (page.length < ROWS_PAGE) return rows;
  }
}

async function belongsTo(log: LogSource, stored: Checkpoint): Promise<boolean> {
  if (stored.logId !== log.logId) return false;
  const [last] = await log.readAfter(stored.position - 1, 1);
  return last?.position === stored.position && last.hash === stored.hash;
}

/** Reads the log up to `until` into a projector that nobody else feeds. */
export async function foldUntil<Row>(projector: Projector<Row>, log: LogSource, until: number): Promise<void> {
  for await (const page of logPages(log, projector.position, until)) {
    await projector.handle(page);
    if (projector.halted) return;
  }
}
