import type { Projection, Rows } from "./projection.ts";

/**
 * The rows of one projection in memory: all that are not settled and the newest settled ones. Rows are kept in the
 * order of their rank, so that the oldest leave first and a list needs no sorting.
 */
export class ResidentRows<Row> implements Rows<Row> {
  readonly #projection: Projection<Row>;
  readonly #rows = new Map<string, Row>();
  /** Those of them that are not settled. */
  readonly #open = new Map<string, Row>();
  readonly #guests = new Map<string, Row>();
  #floorRank = 0;

  constructor(projection: Projection<Row>) {
    this.#projection = projection;
  }

  get size(): number {
    return this.#rows.size;
  }
  /** Every row of this rank or above is in memory. */
  get floorRank(): number {
    return this.#floorRank;
  }

  get(key: string): Row | undefined {
    return this.#rows.get(key) ?? this.#guests.get(key);
  }
  open(): Iterable<Row> {
    return this.#open.values();
  }
  values(): Iterable<Row> {
    return this.#rows.values();
  }
  entries(): Iterable<[string, Row]> {
    return this.#rows.entries();
  }

  /** What a snapshot keeps: all that a later event may change without being told where it lies. */
  unsettled(): (readonly [string, Row])[] {
    return [...this.#open];
  }

  /** A row that lives on disk, needed for one event: forgotten by `evict`. */
  invite(key: string, row: Row): void {
    if (!this.#rows.has(key)) this.#guests.set(key, row);
  }

  set(key: string, row: Row | null): void {
    if (row === null) {
      this.#rows.delete(key);
      this.#open.delete(key);
      this.#guests.delete(key);
    } else if (this.#guests.has(key)) this.#guests.set(key, row);
    else {
      this.#rows.set(key, row);
      if (this.#projection.settled(row)) this.#open.delete(key);
      else this.#open.set(key, row);
    }
  }

  /** Moves the oldest settled rows out until the bound holds. */
  evict(): void {
    this.#guests.clear();
    let over = this.#rows.size - this.#projection.residentMax;
    if (over <= 0) return;
    for (const [key, row] of this.#rows) {
      if (over <= 0) return;
      if (!this.#projection.settled(row)) continue;
      this.#rows.delete(key);
      this.#floorRank = Math.max(this.#floorRank, this.#projection.rank(row) + 1);
      over--;
    }
  }

  /** Puts rows in that were read back, in order of rank. */
  load(rows: readonly (readonly [string, Row])[], floorRank: number): void {
    this.#rows.clear();
    this.#open.clear();
    for (const [key, row] of rows) this.set(key, row);
    this.#floorRank = floorRank;
  }
}
