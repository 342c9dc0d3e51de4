import type { Clock, Timer } from "@servofleet/runtime/clock";

/** Often enough to fall into every longer pause of the machine, rare enough to cause none, ms. */
const EVERY_MS = 50;

/**
 * How late an idle timer of this process is called at worst. The box gives its own services 500 ms between two beats: on
 * a machine that is later than that, a stop for a lost controller is no finding about the product.
 */
export class LatenessCanary {
  worstMs = 0;
  readonly #clock: Clock;
  #timer: Timer | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#next();
  }

  stop(): void {
    this.#timer?.cancel();
  }

  #next(): void {
    const dueMs = this.#clock.monotonicMs() + EVERY_MS;
    this.#timer = this.#clock.after(EVERY_MS, () => {
      this.worstMs = Math.max(this.worstMs, this.#clock.monotonicMs() - dueMs);
      this.#next();
    });
  }
}
