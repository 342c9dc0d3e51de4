/**
 * What one look at a drive shows. `null` is unknown (not read this time, or a pattern no table names): never a state.
 */
export interface DriveFacts {
  readonly enabled: boolean | null;
  /** Measured or shown by the drive's own motion bit. */
  readonly moving: boolean | null;
  /** The drive has not finished what it was told (also before it starts). */
  readonly busy: boolean | null;
  /** The drive's own "command complete" or "target reached"; may be stale right after a start. */
  readonly complete: boolean | null;
  readonly homed: boolean | null;
  readonly fault: boolean | null;
  readonly faultCode: number | null;
  /** A start has been taken: proof that a write arrived (set-point acknowledge, path running). */
  readonly taken: boolean | null;
  /** What ended a motion at a limit, in words. */
  readonly limit: string | null;
  readonly homing: "none" | "running" | "attained" | "failed" | null;
  /** Why the end of a reference run cannot be told from what the drive shows, in words. */
  readonly homingDoubt: string | null;
  readonly positionCounts: number | null;
  readonly velocityCountsPerS: number | null;
  readonly followingErrorCounts: number | null;
  readonly torque: number | null;
  readonly temperature: number | null;
}

export const UNKNOWN_FACTS: DriveFacts = {
  enabled: null,
  moving: null,
  busy: null,
  complete: null,
  homed: null,
  fault: null,
  faultCode: null,
  taken: null,
  limit: null,
  homing: null,
  homingDoubt: null,
  positionCounts: null,
  velocityCountsPerS: null,
  followingErrorCounts: null,
  torque: null,
  temperature: null,
};
