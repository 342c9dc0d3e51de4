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

/**
 * Where the rows of one projection survive a restart. Rows and checkpoint change in one transaction, so that both
 * fall back together; losing the file only costs a rebuild.
 */
export interface ViewStore<Row> {
  /** null for an empty store. */
  checkpoint(): Promise<Checkpoint | null>;
  /** The rows that belong into memory, in order of rank, and the rank above which none is missing. */
  resident(): Promise<{ rows: readonly (readonly [string, Row])[]; floorRank: number }>;
  get(key: string): Promise<Row | undefined>;
  list(query: RowQuery): Promise<readonly Row[]>;
  all(): Promise<readonly (readonly [string, Row])[]>;
  /** Rejects with `ProjectionError` "checkpoint-moved" when the stored position is not `from` (0: empty). */
  save(from: number, to: Checkpoint, changes: readonly Change<Row>[]): Promise<void>;
  /** Forgets everything: the next event is position 1. */
  wipe(): Promise<void>;
  close(): Promise<void>;
}
