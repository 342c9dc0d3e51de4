import type { Change } from "./projection.ts";

/** How far a stored view has come, and in which log: the hash of its last event tells a restored log from the old one. */
export interface Checkpoint {
  readonly logId: string;
  readonly position: number;
  readonly hash: string;
}

/** Which stored rows a list wants, newest rank first. */
export interface RowQuery {
  /** Only rows of a lower rank. */
  readonly beforeRank: number;
  readonly limit: number;
  /** Top-level fields that must be equal (`string`) or at least (`number`) the value. */
  readonly where: Readonly<Record<string, string | number>>;
}

/** A row that changed although it was settled, as it was before the event at `until`. */
export interface FormerRow<Row> {
  readonly key: string;
  readonly until: number;
  readonly row: Row;
}

/** Every row that was not settled right after the event at `position`, in order: what a fold can start from. */
export interface Snapshot<Row> {
  readonly position: number;
  readonly hash: string;
  readonly rows: readonly (readonly [string, Row])[];
}

/** What the past needs of a stretch of the log, beside the rows as they are at its end. */
export interface PastBatch<Row> {
  readonly former: readonly FormerRow<Row>[];
  readonly snapshots: readonly Snapshot<Row>[];
}

/** Rows that are not in memory. */
export interface StoredRows<Row> {
  get(key: string): Promise<Row | undefined>;
  list(query: RowQuery): Promise<readonly Row[]>;
}

/**
 * Where the rows of one projection survive a restart. Rows and checkpoint change in one transaction, so that both
 * fall back together; losing the file only costs a rebuild.
 */
export interface ViewStore<Row> extends StoredRows<Row> {
  /** null for an empty store. */
  checkpoint(): Promise<Checkpoint | null>;
  /** The rows that belong into memory, in order of rank, and the rank above which none is missing. */
  resident(): Promise<{ rows: readonly (readonly [string, Row])[]; floorRank: number }>;
  /** At most `limit` rows with a key above `after`, in order of key. */
  page(after: string, limit: number): Promise<readonly (readonly [string, Row])[]>;
  /** The newest snapshot at or before `position`; null when a fold has to start at the first event. */
  snapshotBefore(position: number): Promise<Snapshot<Row> | null>;
  /** Rows as they were at `position`, which must be one of a snapshot: those that are not in it were settled then. */
  settledAt(position: number, query: RowQuery): Promise<readonly (readonly [string, Row])[]>;
  settledRowAt(position: number, key: string): Promise<Row | undefined>;
  /** Rejects with `ProjectionError` "checkpoint-moved" when the stored position is not `from` (0: empty). */
  save(from: number, to: Checkpoint, changes: readonly Change<Row>[], past?: PastBatch<Row>): Promise<void>;
  /** Forgets everything: the next event is position 1. */
  wipe(): Promise<void>;
  close(): Promise<void>;
}
