/** Readings so far back count, ms: long enough to drown the jitter of a poll, short enough to follow a ramp. */
const WINDOW_MS = 100;
const READINGS_MAX = 16;
/** Below this distance of first and last reading their rounding is all that would be seen, ms. */
const BASE_MS = 15;

/** A speed made from positions. */
export interface EstimatedSpeed {
  readonly countsPerS: number;
  /** It is the speed of so long ago, ms: the middle of the readings it was made from. */
  readonly ageMs: number;
}

/**
 * Speed of a drive that does not tell it: the straight line that fits the last positions best. From two positions alone
 * a millisecond of jitter and a count of rounding make a tenth of the speed, and a limit is then halted for too early.
 */
export class SpeedEstimate {
  #readings: { readonly counts: number; readonly atMs: number }[] = [];

  /** The axis stands here, whatever the position was before: a homing run may have just renamed it. */
  rest(counts: number, atMs: number): void {
    this.#readings = [{ counts, atMs }];
  }

  /** Positions before were of another connection. */
  forget(): void {
    this.#readings = [];
  }

  /** Null until two readings are far enough apart. */
  add(counts: number, atMs: number): EstimatedSpeed | null {
    const isNew = atMs > (this.#readings.at(-1)?.atMs ?? Number.NEGATIVE_INFINITY);
    if (isNew) this.#readings = [...this.#readings, { counts, atMs }].slice(-READINGS_MAX);
    // Slow polls leave two readings, however old the first one is.
    while (this.#readings.length > 2 && atMs - (this.#readings[0]?.atMs ?? atMs) > WINDOW_MS) this.#readings.shift();
    return this.#slope(atMs);
  }

  /** Least squares. */
  #slope(nowMs: number): EstimatedSpeed | null {
    const first = this.#readings[0];
    const count = this.#readings.length;
    if (!first || nowMs - first.atMs < BASE_MS) return null;
    const middleMs = this.#readings.reduce((sum, one) => sum + one.atMs, 0) / count;
    let up = 0;
    let along = 0;
    for (const { counts, atMs } of this.#readings) {
      up += (atMs - middleMs) * (counts - first.counts);
      along += (atMs - middleMs) ** 2;
    }
    return { countsPerS: (1000 * up) / along, ageMs: nowMs - middleMs };
  }
}
