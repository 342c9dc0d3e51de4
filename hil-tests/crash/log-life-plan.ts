/** A writer that is worse than ours in one way: the control that shows that a trial sees it. */
export type Weakness =
  | "none"
  | "synchronous-normal"
  | "acknowledges-early"
  | "swallows-io-errors"
  | "swallows-full-disk";

/** What one life of the writer does. */
export interface LogLife {
  readonly directory: string;
  /** Appends of two events each, */
  readonly calls: number;
  /** so many at a time, */
  readonly inFlight: number;
  /** with up to so many bytes each. */
  readonly bytes: number;
  /** The chain is signed after so many events. */
  readonly signEvery: number;
  /** Below 1,000 the oldest events are sealed into archives of so many meanwhile. */
  readonly archiveEvents: number;
  /** How far the wall clock has gone on: old events may be sealed. */
  readonly daysAhead: number;
  readonly end: "close" | "kill";
  readonly weakness: Weakness;
}

const PLAIN: Omit<LogLife, "directory" | "weakness"> = {
  calls: 40,
  inFlight: 8,
  bytes: 300,
  signEvery: 10_000,
  archiveEvents: 100_000,
  daysAhead: 0,
  end: "close",
};

/** Lives of one log, one after the other, that together meet everything the log does to its disk. */
export const WORKLOADS = {
  /** Made, closed (all copied back, WAL removed), found again, killed (WAL left), recovered, signed now and then. */
  young: [PLAIN, { ...PLAIN, end: "kill" }, { ...PLAIN, calls: 60, inFlight: 20, signEvery: 40 }],
  /** So much at once that the WAL is copied back while commits go on, twice over. */
  busy: [{ ...PLAIN, calls: 500, inFlight: 24, bytes: 6000, end: "kill" }, PLAIN],
  /** Events of last month go into archives while new ones are written. */
  sealing: [
    { ...PLAIN, calls: 1100, inFlight: 200, bytes: 20 },
    { ...PLAIN, archiveEvents: 60, daysAhead: 40, end: "kill" },
    { ...PLAIN, archiveEvents: 60, daysAhead: 80 },
  ],
} as const satisfies Readonly<Record<string, readonly Omit<LogLife, "directory" | "weakness">[]>>;
/** The name of one. */
export type Workload = keyof typeof WORKLOADS;
