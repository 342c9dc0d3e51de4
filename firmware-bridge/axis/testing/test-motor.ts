import type { Clock } from "@servofleet/runtime/clock";

/** A shaft that follows at constant speed, worked out on demand: enough for registers that change with time. */
export class TestMotor {
  readonly #clock: Clock;
  #fromCounts = 0;
  #fromMs: number;
  #toCounts = 0;
  #speed = 0;
  /** Counts at which the shaft is held, as by an obstacle; null when free. */
  blockedAt: number | null = null;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#fromMs = clock.monotonicMs();
  }

  get position(): number {
    const way = Math.sign(this.#toCounts - this.#fromCounts);
    const gone = (this.#speed * (this.#clock.monotonicMs() - this.#fromMs)) / 1000;
    const free = gone >= Math.abs(this.#toCounts - this.#fromCounts) ? this.#toCounts : this.#fromCounts + way * gone;
    if (this.blockedAt === null) return Math.round(free);
    return Math.round(way > 0 ? Math.min(free, this.blockedAt) : Math.max(free, this.blockedAt));
  }

  /** The generator's own word, whatever holds the shaft. */
  get running(): boolean {
    const needMs = (Math.abs(this.#toCounts - this.#fromCounts) / Math.max(this.#speed, 1e-9)) * 1000;
    return this.#speed > 0 && this.#toCounts !== this.#fromCounts && this.#clock.monotonicMs() - this.#fromMs < needMs;
  }

  get velocity(): number {
    return this.running && this.position !== this.blockedAt
      ? Math.sign(this.#toCounts - this.#fromCounts) * this.#speed
      : 0;
  }

  go(toCounts: number, countsPerS: number): void {
    this.#fromCounts = this.position;
    this.#fromMs = this.#clock.monotonicMs();
    this.#toCounts = toCounts;
    this.#speed = countsPerS;
  }

  /** Stands at once. */
  halt(): void {
    this.place(this.position);
  }

  place(counts: number): void {
    this.#fromCounts = this.#toCounts = counts;
    this.#speed = 0;
  }
}
