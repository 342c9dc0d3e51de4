import type { Clock, Timer } from "@servofleet/runtime/clock";

/** Space that is kept for stop events and the ends of running motions once motion is refused. */
export const RESERVE_BYTES = 16 * 1024 * 1024;
/** Motion comes back only when this much more than the reserve is free, so that the box does not flap at the edge. */
const BACK_FACTOR = 1.5;
const PERIOD_MS = 1000;

/** Looks at the free space now and then; `low` says that motion must be refused. */
export class SpaceWatch {
  readonly #freeSpace: () => Promise<number>;
  readonly #reserveBytes: number;
  readonly #onLook: () => void;
  readonly #timer: Timer;
  #low = false;
  #looking: Promise<void> | undefined;

  constructor(
    clock: Clock,
    freeSpace: () => Promise<number>,
    onLook: () => void,
    reserveBytes: number = RESERVE_BYTES,
  ) {
    this.#freeSpace = freeSpace;
    this.#onLook = onLook;
    this.#reserveBytes = reserveBytes;
    this.#timer = clock.every(PERIOD_MS, () => void this.look());
  }

  get low(): boolean {
    return this.#low;
  }

  /** One look; never two at a time. A disk that cannot be asked counts as it was: the next write will tell. */
  look(): Promise<void> {
    this.#looking ??= this.#freeSpace()
      .then(
        (free) => {
          this.#low = free < this.#reserveBytes * (this.#low ? BACK_FACTOR : 1);
          this.#onLook();
        },
        () => undefined,
      )
      .finally(() => {
        this.#looking = undefined;
      });
    return this.#looking;
  }

  /** Ends the watch and waits for a look under way. */
  async close(): Promise<void> {
    this.#timer.cancel();
    await this.#looking;
  }
}
