import type { LinkStats, LiveMessage } from "@servofleet/contracts";
import type { Clock } from "@servofleet/runtime/clock";

export type LiveSample = Extract<LiveMessage, { type: "sample" }>;

/** A value and where its age starts: `bornMs` is on this process's monotonic clock, so a stepped wall clock ages nothing. */
export interface Aged<T> {
  readonly value: T;
  readonly bornMs: number;
}

/** Newest sample per axis and newest figures per link. Lossy by design: only the newest counts. */
export class LiveValues {
  readonly #clock: Clock;
  readonly #samples = new Map<string, Aged<LiveSample>>();
  readonly #stats = new Map<string, Aged<LinkStats>>();
  readonly #listeners = new Set<(axis: string) => void>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  take(message: LiveMessage): void {
    const value = message.type === "sample" ? message : message.stats;
    // The sample's own delay (bus, controller, socket) counts; a wall clock that stepped back must not make it negative.
    const delayMs = Math.max(0, (this.#clock.wallUs() - value.atUs) / 1000);
    const bornMs = this.#clock.monotonicMs() - delayMs;
    if (message.type === "link-stats") {
      this.#stats.set(message.stats.link, { value: message.stats, bornMs });
      return;
    }
    this.#samples.set(message.axis, { value: message, bornMs });
    for (const listener of this.#listeners) listener(message.axis);
  }

  sample(axis: string): Aged<LiveSample> | undefined {
    return this.#samples.get(axis);
  }
  stats(link: string): Aged<LinkStats> | undefined {
    return this.#stats.get(link);
  }

  /** Called with the axis of every sample. Returns the function that ends it. */
  onSample(listener: (axis: string) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }
}
