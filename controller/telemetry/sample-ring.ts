import type { Quality } from "@servofleet/contracts";
import type { TelemetrySample } from "@servofleet/runtime/telemetry-schema";

const VALUES = ["position", "velocity", "followingError", "torque", "temperature"] as const;
const QUALITIES: readonly Quality[] = ["good", "stale", "uncertain", "bad"];
/** Time, the values, then quality and motion as one number. Null is NaN. */
const ROW = VALUES.length + 2;
const FLAGS = ROW - 1;
const MOVING = 4;
const ROWS_MIN = 64;

/**
 * The newest samples of one axis as numbers in one array: an object per sample would live just long enough to grow old.
 * Holds what lies within `spanUs` of the newest, at most `rowsMax`.
 */
export class SampleRing {
  readonly #axis: TelemetrySample["axis"];
  readonly #spanUs: number;
  readonly #rowsMax: number;
  #rows = new Float64Array(ROWS_MIN * ROW);
  /** Samples ever added since the array was last made anew. */
  #added = 0;

  constructor(axis: TelemetrySample["axis"], spanUs: number, rowsMax: number) {
    this.#axis = axis;
    this.#spanUs = spanUs;
    this.#rowsMax = rowsMax;
  }

  add(sample: TelemetrySample): void {
    if (this.#isTooShort(sample.atUs)) this.#grow();
    const at = (this.#added % this.#capacity) * ROW;
    this.#rows[at] = sample.atUs;
    for (const [n, name] of VALUES.entries()) this.#rows[at + 1 + n] = sample[name] ?? Number.NaN;
    this.#rows[at + FLAGS] = QUALITIES.indexOf(sample.quality) + (sample.moving ? MOVING : 0);
    this.#added += 1;
  }

  /** Oldest first. */
  samples(): TelemetrySample[] {
    const kept = Math.min(this.#added, this.#capacity);
    const all = Array.from({ length: kept }, (_, n) => this.#sample((this.#added - kept + n) % this.#capacity));
    const newestUs = all.at(-1)?.atUs ?? 0;
    return all.filter(({ atUs }) => atUs >= newestUs - this.#spanUs);
  }

  get #capacity(): number {
    return this.#rows.length / ROW;
  }

  /** The next sample would take the place of one that is still wanted. */
  #isTooShort(atUs: number): boolean {
    const capacity = this.#capacity;
    if (capacity >= this.#rowsMax || this.#added < capacity) return false;
    return (this.#rows[(this.#added % capacity) * ROW] ?? 0) >= atUs - this.#spanUs;
  }

  #grow(): void {
    const capacity = this.#capacity;
    const rows = new Float64Array(Math.min(2 * capacity, this.#rowsMax) * ROW);
    const oldest = (this.#added % capacity) * ROW;
    rows.set(this.#rows.subarray(oldest));
    rows.set(this.#rows.subarray(0, oldest), this.#rows.length - oldest);
    this.#rows = rows;
    this.#added = capacity;
  }

  #sample(row: number): TelemetrySample {
    const at = row * ROW;
    const flags = this.#rows[at + FLAGS] ?? 0;
    const value = (n: number): number | null => {
      const found = this.#rows[at + 1 + n] ?? Number.NaN;
      return Number.isNaN(found) ? null : found;
    };
    return {
      axis: this.#axis,
      atUs: this.#rows[at] ?? 0,
      position: value(0) ?? 0,
      velocity: value(1),
      followingError: value(2),
      torque: value(3),
      temperature: value(4),
      moving: flags >= MOVING,
      quality: QUALITIES[flags % MOVING] ?? "uncertain",
    };
  }
}
