import type { Clock } from "@servofleet/runtime/clock";

/** Requests that may wait for a position at the same time. */
export const WAITERS_MAX = 1000;

interface Waiter {
  readonly reached: () => boolean;
  readonly done: (reached: boolean) => void;
}

/** Requests that wait until the read model has the position their own write returned. Every wait has an end. */
export class PositionWaiters {
  readonly #clock: Clock;
  readonly #waiting = new Set<Waiter>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get size(): number {
    return this.#waiting.size;
  }

  /** True once `reached` holds, false after `waitMs`; "full" when too many wait already. */
  wait(reached: () => boolean, waitMs: number): Promise<boolean> | boolean | "full" {
    if (reached()) return true;
    if (waitMs <= 0) return false;
    if (this.#waiting.size >= WAITERS_MAX) return "full";
    return new Promise((resolve) => {
      const timer = this.#clock.after(waitMs, () => waiter.done(false));
      const waiter: Waiter = {
        reached,
        done: (result) => {
          timer.cancel();
          this.#waiting.delete(waiter);
          resolve(result);
        },
      };
      this.#waiting.add(waiter);
    });
  }

  /** The read model moved on. */
  advanced(): void {
    for (const waiter of this.#waiting) if (waiter.reached()) waiter.done(true);
  }

  close(): void {
    for (const waiter of this.#waiting) waiter.done(false);
  }
}
