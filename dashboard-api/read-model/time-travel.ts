import { typed as typedEvent } from "@servofleet/contracts";
import type { Clock } from "@servofleet/runtime/clock";
import type { LogSource } from "./log-source.ts";
import type { Projection } from "./projection.ts";
import { foldUntil, Projector } from "./projector.ts";
import type { StoredRows, ViewStore } from "./view-store.ts";

/** Views of the past kept, so that a list can be paged without folding again. */
const VIEWS_MAX = 8;
/** Folds that may wait for their turn: each reads up to SNAPSHOT_EVENTS events of the log. */
const FOLDS_MAX = 16;

export class PastError extends Error {
  override readonly name = "PastError";
  readonly code: "too-many-folds" | "fold-failed";
  readonly facts: Readonly<Record<string, unknown>>;
  readonly hint: string;
  constructor(code: PastError["code"], facts: Readonly<Record<string, unknown>>, hint: string) {
    super(`${code}: ${hint}`);
    this.code = code;
    this.facts = facts;
    this.hint = hint;
  }
}

/** A projection as it stood at a position, and the wall time of that position's event. */
export interface PastView<Row> {
  readonly position: number;
  readonly wallUs: number;
  readonly projector: Projector<Row>;
}

/** The file of a projection that serves the present; null where there is none. Asked anew each time: a rebuild exchanges it. */
export type StoreOf = <Row>(projection: Projection<Row>) => ViewStore<Row> | null;

/**
 * The past: a fold of the log from the nearest snapshot through the same projections that serve the present. Rows that
 * were settled at the snapshot are not in it: they are read from the present's file, as they were.
 */
export class TimeTravel {
  readonly #log: LogSource;
  readonly #storeOf: StoreOf;
  readonly #clock: Clock;
  readonly #views = new Map<string, Promise<PastView<unknown>>>();
  #tail: Promise<unknown> = Promise.resolve();
  #waiting = 0;

  constructor(log: LogSource, clock: Clock, storeOf: StoreOf = () => null) {
    this.#log = log;
    this.#storeOf = storeOf;
    this.#clock = clock;
  }

  /** Rejects with PastError when too many folds wait, or the log cannot be folded. */
  view<Row>(projection: Projection<Row>, position: number): Promise<PastView<Row>> {
    const key = `${projection.name}@${position}`;
    const known = this.#views.get(key);
    if (known) return known as Promise<PastView<Row>>;
    if (this.#waiting >= FOLDS_MAX)
      return Promise.reject(new PastError("too-many-folds", { waiting: this.#waiting }, "ask again in a second"));
    this.#waiting++;
    // One fold after the other: the past may take its time, the present must not.
    const made = this.#tail.then(() => this.#fold(projection, position));
    this.#tail = made.then(
      () => this.#waiting--,
      () => {
        this.#waiting--;
        this.#views.delete(key);
      },
    );
    this.#views.set(key, made);
    const [oldest] = this.#views.keys();
    if (this.#views.size > VIEWS_MAX && oldest !== undefined) this.#views.delete(oldest);
    return made;
  }

  async #fold<Row>(projection: Projection<Row>, position: number): Promise<PastView<Row>> {
    const projector = new Projector(projection, this.#log.logId, this.#clock);
    const snapshot = await this.#storeOf(projection)?.snapshotBefore(position);
    if (snapshot) projector.startFrom(snapshot, this.#settledAt(projector, snapshot.position));
    await foldUntil(projector, this.#log, position);
    if (projector.halted)
      throw new PastError(
        "fold-failed",
        { position: projector.position, why: projector.halted.message },
        "see the log",
      );
    return { position: projector.position, wallUs: await this.#wallUs(projector.position), projector };
  }

  #settledAt<Row>({ projection, rows }: Projector<Row>, position: number): StoredRows<Row> {
    /** Rows in memory that may stand in the file as well: what was born after the snapshot does not. */
    const hiding = () => [...rows.values()].filter((row) => projection.rank(row) <= position).length;
    return {
      get: async (key) => this.#storeOf(projection)?.settledRowAt(position, key),
      list: async (query) => {
        // What memory holds is newer than the snapshot: it hides the row it came from.
        const limit = query.limit + hiding();
        const found = (await this.#storeOf(projection)?.settledAt(position, { ...query, limit })) ?? [];
        return found.flatMap(([key, row]) => (rows.get(key) === undefined ? [row] : [])).slice(0, query.limit);
      },
    };
  }

  /** One row that a few events make: folded from just these. */
  async row<Row>(projection: Projection<Row>, commandId: string, position: number): Promise<Row | undefined> {
    const rows = new Map<string, Row>();
    const seen = { get: (key: string) => rows.get(key), open: () => rows.values() };
    for (const event of await this.#log.readCommand(commandId)) {
      if (event.position > position) break;
      for (const [key, row] of projection.project(seen, typedEvent(event)))
        if (row === null) rows.delete(key);
        else rows.set(key, row);
    }
    return rows.get(commandId);
  }

  async #wallUs(position: number): Promise<number> {
    const [event] = position > 0 ? await this.#log.readAfter(position - 1, 1) : [];
    return event?.wallUs ?? 0;
  }
}
