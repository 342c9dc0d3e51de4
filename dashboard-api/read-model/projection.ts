import type { TypedEvent } from "@servofleet/contracts";

/** What a projection may look at: its own rows, nothing else. */
export interface Rows<Row> {
  get(key: string): Row | undefined;
  /** Every row that is not settled. */
  open(): Iterable<Row>;
}

/** A row as it is after the event; null removes it. */
export type Change<Row> = readonly [key: string, row: Row | null];

/**
 * A view of the log as a pure function: rows and one event in, changed rows out. No clock, no chance, no waiting:
 * the same events give the same rows, byte for byte. Rows are plain JSON and never modified in place.
 */
export interface Projection<Row> {
  /** Also the file's name: `read/<name>.v<version>.db`. */
  readonly name: string;
  /** Raised with every change of `project` or of the row's shape: older files are deleted and rebuilt. */
  readonly version: number;
  /** The key of an existing row the event speaks of, in case it has been moved out of memory; null if none. */
  refersTo(event: TypedEvent): string | null;
  project(rows: Rows<Row>, event: TypedEvent): readonly Change<Row>[];
  /** Order of the rows in a list: the position of the event that made it. It never changes where rows can be settled. */
  rank(row: Row): number;
  /** A settled row hardly changes any more and may live on disk only. */
  settled(row: Row): boolean;
  /** Top-level fields that lists ask for by value: indexed, so that a rare one is found without reading every row. */
  readonly filters?: readonly string[];
  /** Settled rows kept in memory, newest first. */
  readonly residentMax: number;
}

export const NO_CHANGE: readonly never[] = [];
