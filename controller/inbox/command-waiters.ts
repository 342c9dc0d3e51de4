import { COMMAND_STATE_AFTER, type RecordedEvent, TERMINAL_STATES } from "@servofleet/contracts";
import type { Clock } from "@servofleet/runtime/clock";

/** Requests that wait for the end of a command (`Prefer: wait`). More get their 202 at once. */
const WAITERS_MAX = 1024;

/** Whether the event is the one end of its command. */
export function endsCommand(event: RecordedEvent): boolean {
  const state = COMMAND_STATE_AFTER[event.type];
  return state !== undefined && TERMINAL_STATES.has(state);
}

/** Who waits for the end of which command. */
export class CommandWaiters {
  readonly #clock: Clock;
  readonly #waiting = new Map<string, Set<() => void>>();
  #count = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Give it everything that reaches the disk. */
  recorded(events: readonly RecordedEvent[]): void {
    for (const event of events) {
      const waiters = event.commandId === null ? undefined : this.#waiting.get(event.commandId);
      if (waiters && endsCommand(event)) for (const wake of [...waiters]) wake();
    }
  }

  /**
   * Resolves at the command's end or after `ms`. Ask before looking whether it has ended: an end in between wakes.
   */
  wait(commandId: string, ms: number): { readonly ended: Promise<void>; readonly giveUp: () => void } {
    if (this.#count >= WAITERS_MAX) return { ended: Promise.resolve(), giveUp: () => undefined };
    let wake: () => void = () => undefined;
    const ended = new Promise<void>((resolve) => {
      const timer = this.#clock.after(ms, () => wake(), true);
      const waiters = this.#waiting.get(commandId) ?? new Set();
      this.#waiting.set(commandId, waiters);
      this.#count += 1;
      wake = () => {
        timer.cancel();
        if (!waiters.delete(wake)) return;
        this.#count -= 1;
        if (waiters.size === 0) this.#waiting.delete(commandId);
        resolve();
      };
      waiters.add(wake);
    });
    return { ended, giveUp: wake };
  }

  close(): void {
    for (const waiters of [...this.#waiting.values()]) for (const wake of [...waiters]) wake();
  }
}
