import type { Frame } from "@servofleet/contracts";
import type { DriveFacts } from "../handshake/drive-facts.ts";

/** One poll pass over a drive, decoded. */
export interface Reading {
  readonly facts: DriveFacts;
  /** First byte of the pass, monotonic ms: older than an acknowledgement, it proves nothing about it. */
  readonly startedMs: number;
  readonly endedMs: number;
  /** Wall time of the middle of the position's transaction, microseconds. */
  readonly middleUs: number;
  /** Measured, or from the last positions. */
  readonly velocityCountsPerS: number | null;
  /** How long before the position that speed was, ms: 0 where the drive tells it. */
  readonly velocityAgeMs: number;
  readonly frames: readonly Frame[];
}
