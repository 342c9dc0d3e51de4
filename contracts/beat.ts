/** Both ways every 100 ms between controller and bridge; silence for BEAT_LOST_MS is the other's death. */
export const BEAT_PERIOD_MS = 100;
export const BEAT_LOST_MS = 500;

/** The controller lives: its epoch and the reports it has. */
export interface ControllerBeat {
  readonly epoch: number;
  readonly seq: number;
  /** Newest report the controller has of this bridge boot; the bridge repeats those after it. */
  readonly reportsSeen: number;
  readonly bridgeBoot: string | null;
}

/** The bridge lives: its clock and its newest report. */
export interface BridgeBeat {
  readonly bridgeBoot: string;
  readonly seq: number;
  /** The bridge's monotonic clock, ms: the controller makes order deadlines from it. */
  readonly monotonicMs: number;
  /** Newest report number sent. */
  readonly reportSeq: number;
}
