/** What was done to a log. */
export type LogFlawKind =
  /** The row is not the one that was written. */
  | "altered"
  /** Positions are missing in the middle, or were closed up. */
  | "deleted"
  /** A row that was never written stands between two that follow each other. */
  | "inserted"
  /** The row belongs to another position. */
  | "reordered"
  /** The end is missing. */
  | "truncated"
  /** The chain fits in itself, but is not the one that was signed. */
  | "rewritten"
  /** A checkpoint or a manifest is not signed by a known key, or a checkpoint is missing. */
  | "forged"
  /** SQLite itself cannot read it, or a file is missing. */
  | "damaged";

/** The first flaw of a log. */
export interface LogFlaw {
  readonly position: number;
  /** Last position it may concern, where that is more than one. */
  readonly until: number;
  readonly flaw: LogFlawKind;
  readonly detail: string;
}

/** A flaw at one position, or at all from one to another. */
export const logFlaw = (flaw: LogFlawKind, position: number, detail: string, until = position): LogFlaw => ({
  position,
  until,
  flaw,
  detail,
});
