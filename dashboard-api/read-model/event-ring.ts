import type { RecordedEvent } from "@servofleet/contracts";

/** Newest events kept in memory so that many listeners do not each read the log. */
const RING_EVENTS = 2048;

/** The end of the log, contiguous. */
export class EventRing {
  #events: RecordedEvent[] = [];

  get newest(): number {
    return this.#events.at(-1)?.position ?? 0;
  }

  push(events: readonly RecordedEvent[]): void {
    const next = events[0]?.position;
    if (next === undefined) return;
    if (this.#events.length > 0 && next !== this.newest + 1) this.#events = [];
    this.#events.push(...events);
    // Trimmed in steps, so that a live event does not move the whole array.
    if (this.#events.length > 2 * RING_EVENTS) this.#events = this.#events.slice(-RING_EVENTS);
  }

  /** Up to `limit` events after `position`; undefined when they are no longer, or not yet, here. */
  after(position: number, limit: number): readonly RecordedEvent[] | undefined {
    const first = this.#events[0];
    if (!first || position < first.position - 1 || position > this.newest) return undefined;
    const from = position - first.position + 1;
    return this.#events.slice(from, from + limit);
  }
}
