import type { Clock } from "@servofleet/runtime/clock";

/** Commands that the controller works on at once through this gateway: a stop finds no longer queue than that before it. */
export const COMMANDS_AT_ONCE = 16;
/** Commands that may wait here for their turn. */
export const COMMANDS_WAITING_MAX = 4096;
/** A command that has waited so long is refused: it must not start when nobody expects it any more. */
export const TURN_WAIT_MAX_MS = 2000;

interface Waiting {
  readonly grant: (granted: boolean) => void;
}

/** Hands out turns, first come first served, each wait with a limit. Stops need none. */
export class CommandTurns {
  readonly #clock: Clock;
  readonly #waiting = new Set<Waiting>();
  #free = COMMANDS_AT_ONCE;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Resolves true with a turn that must be given back, false when there is none within the limit. */
  take(): Promise<boolean> {
    if (this.#free > 0) {
      this.#free -= 1;
      return Promise.resolve(true);
    }
    if (this.#waiting.size >= COMMANDS_WAITING_MAX) return Promise.resolve(false);
    return new Promise((resolve) => {
      const limit = this.#clock.after(TURN_WAIT_MAX_MS, () => waiting.grant(false));
      const waiting: Waiting = {
        grant: (granted) => {
          limit.cancel();
          this.#waiting.delete(waiting);
          resolve(granted);
        },
      };
      this.#waiting.add(waiting);
    });
  }

  /** Gives a turn back; the longest waiting gets it. */
  giveBack(): void {
    const [first] = this.#waiting;
    if (first) first.grant(true);
    else this.#free += 1;
  }
}
