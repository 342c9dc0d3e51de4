import type { Quality } from "./axis.ts";
import type { AxisId, LinkId } from "./ids.ts";

/** One reading of one drive, as the bridge sends it: counts, machine frame. Lossy, never in the event log. */
export interface Sample {
  readonly axis: AxisId;
  /** Middle of the transaction, wall clock, microseconds since 1970. */
  readonly atUs: number;
  readonly positionCounts: number;
  readonly velocityCountsPerS: number | null;
  readonly followingErrorCounts: number | null;
  /** % of rated. */
  readonly torque: number | null;
  /** Degrees Celsius. */
  readonly temperature: number | null;
  readonly moving: boolean;
  readonly quality: Quality;
}

/** Figures of one link, about once a second. */
export interface LinkStats {
  readonly link: LinkId;
  readonly atUs: number;
  /** Share of the last second in which the line was busy, 0 to 1. */
  readonly load: number;
  readonly transactionsPerS: number;
  readonly plannedLoad: number;
  /** Computed worst wait of a stop for the last axis of the link, ms. */
  readonly stopBoundMs: number;
  /** How many times longer than configured polls are apart now, for axes at rest and for moving ones; absent or 1: as configured. */
  readonly pollStretch?: { readonly idle: number; readonly moving: number };
  /**
   * The last start of several axes at once; null or absent before the first. `sentSkewMs`: between the first bytes of
   * their starting frames, 0 when it was one frame. `seenSkewMs`: between the readings that first showed each in motion,
   * as fine as they are polled; null until all were seen.
   */
  readonly groupStart?: {
    readonly axes: readonly AxisId[];
    readonly sentSkewMs: number;
    readonly seenSkewMs: number | null;
  } | null;
  readonly errors: {
    readonly timeout: number;
    readonly crc: number;
    readonly exception: number;
    readonly mismatch: number;
    readonly late: number;
  };
  readonly units: readonly {
    readonly unit: number;
    readonly axis: AxisId | null;
    readonly breaker: "closed" | "open" | "half-open";
    readonly lastReplyAtUs: number | null;
  }[];
}

/** The lossy channel from the bridge: may be dropped at any time, never waited for. */
export type SampleMessage =
  | { readonly type: "samples"; readonly samples: readonly Sample[] }
  | { readonly type: "link-stats"; readonly stats: LinkStats };

/** What the controller passes on to the read side over the local live socket, one JSON object per line: display units. */
export type LiveMessage =
  | {
      readonly type: "sample";
      readonly axis: AxisId;
      readonly atUs: number;
      readonly position: number;
      readonly velocity: number | null;
      readonly followingError: number | null;
      readonly torque: number | null;
      readonly temperature: number | null;
      readonly moving: boolean;
      readonly quality: Quality;
    }
  | { readonly type: "link-stats"; readonly stats: LinkStats };
