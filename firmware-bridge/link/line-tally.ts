import type { Clock } from "@servofleet/runtime/clock";

/** Counters of one line: errors since the start, figures since the last look. */
export class LineTally {
  readonly errors = { timeout: 0, crc: 0, exception: 0, mismatch: 0, late: 0 };
  noiseBytes = 0;
  readonly #clock: Clock;
  #sinceMs: number;
  #busyMs = 0;
  #done = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#sinceMs = clock.monotonicMs();
  }

  /** One finished transaction (answered or not) that held the line for `busyMs`, silence included. */
  transaction(busyMs: number, answered: boolean): void {
    this.#busyMs += busyMs;
    if (answered) this.#done++;
  }

  /** Load (0 to 1) and answered transactions per second since the last call. */
  take(): { load: number; transactionsPerS: number } {
    const nowMs = this.#clock.monotonicMs();
    const spanMs = Math.max(nowMs - this.#sinceMs, 1);
    const figures = { load: Math.min(1, this.#busyMs / spanMs), transactionsPerS: (this.#done * 1000) / spanMs };
    this.#sinceMs = nowMs;
    this.#busyMs = 0;
    this.#done = 0;
    return figures;
  }
}
