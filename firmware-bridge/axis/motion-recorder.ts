import type { MotionSummary } from "@servofleet/contracts";
import type { Reading } from "./reading.ts";

/** Gathers the figures of one motion for its summary. */
export class MotionRecorder {
  readonly #sinceMs: number;
  #peakVelocity = 0;
  #peakError: number | null = null;
  #samples = 0;
  constructor(sinceMs: number) {
    this.#sinceMs = sinceMs;
  }

  add({ facts, velocityCountsPerS }: Reading): void {
    if (facts.positionCounts === null) return;
    this.#samples++;
    this.#peakVelocity = Math.max(this.#peakVelocity, Math.abs(velocityCountsPerS ?? 0));
    const error = facts.followingErrorCounts;
    if (error !== null) this.#peakError = Math.max(this.#peakError ?? 0, Math.abs(error));
  }

  summary(nowMs: number): MotionSummary {
    return {
      durationMs: Math.round((nowMs - this.#sinceMs) * 1000) / 1000,
      peakVelocityCountsPerS: this.#peakVelocity,
      peakFollowingErrorCounts: this.#peakError,
      samples: this.#samples,
    };
  }
}
