import type { BridgeBeat } from "@servofleet/contracts";

/** Beats that the estimate looks back on: one second. */
const BEATS_KEPT = 10;

/**
 * The bridge's monotonic clock as seen from here. A beat shows it as it was when the beat left, so that
 * `beat + (now - received)` is behind the truth by the time the beat was under way: always the early side, so an order
 * expires too early rather than too late. Of the last second's beats the one that was under way for the shortest time
 * counts; two clocks drift apart by far less than a beat's way in a second.
 */
export class BridgeClock {
  readonly #offsets: number[] = [];

  heard(beat: BridgeBeat, receivedAtMs: number): void {
    this.#offsets.push(beat.monotonicMs - receivedAtMs);
    if (this.#offsets.length > BEATS_KEPT) this.#offsets.shift();
  }

  /** Another bridge, another clock. */
  forget(): void {
    this.#offsets.length = 0;
  }

  /** Our monotonic time on the bridge's clock, ms, never later than it is there; null before the first beat. */
  at(ownMs: number): number | null {
    return this.#offsets.length === 0 ? null : ownMs + Math.max(...this.#offsets);
  }
}
