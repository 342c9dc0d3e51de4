import type { Clock } from "./clock.ts";

/** Between two looks while events flow, and the most between two looks at a log that is quiet. */
const LOOK_MIN_MS = 1;
const LOOK_MAX_MS = 10;
const LOOK_GROWTH = 1.3;

/** The pauses between looks at a log of another process: longer and longer while it is quiet, short again once hurried. */
export class LookPause {
  readonly #clock: Clock;
  #nextMs = LOOK_MIN_MS;
  #shorten: (() => void) | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Something is expected: the pause that runs ends within a millisecond, and the next ones are short. */
  hurry(): void {
    this.#nextMs = LOOK_MIN_MS;
    this.#shorten?.();
  }

  /** One pause. Resolves early when the signal aborts. */
  async take(signal: AbortSignal): Promise<void> {
    if (signal.aborted) return;
    const ms = this.#nextMs;
    this.#nextMs = Math.min(LOOK_MAX_MS, ms * LOOK_GROWTH);
    await new Promise<void>((resolve) => {
      const end = () => {
        timer.cancel();
        this.#shorten = undefined;
        signal.removeEventListener("abort", end);
        resolve();
      };
      let timer = this.#clock.after(ms, end);
      signal.addEventListener("abort", end, { once: true });
      if (ms === LOOK_MIN_MS) return;
      this.#shorten = () => {
        // Once: a stream of hurries must not put the look off.
        this.#shorten = undefined;
        timer.cancel();
        timer = this.#clock.after(LOOK_MIN_MS, end);
      };
    });
  }
}
