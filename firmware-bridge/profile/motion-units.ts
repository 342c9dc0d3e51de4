import type { ProfileData } from "./profile-schema.ts";

/** A rate the drive cannot be told: a refusal with its reason, never a silent clamp (a clamp could exceed what was decided). */
export type DriveValue = { readonly raw: number } | { readonly trouble: string };

/** Guards against 599.9999999 becoming 599. */
const ROUNDING = 1e-9;
const down = (value: number) => Math.floor(value * (1 + ROUNDING));
const up = (value: number) => Math.ceil(value * (1 - ROUNDING));

/** Conversions between counts and what a drive's registers mean. */
export class MotionUnits {
  readonly #motion: ProfileData["motion"];
  readonly #countsPerRevolution: number;

  /** `countsPerRevolution` matters only to drives that speak rpm. */
  constructor(motion: ProfileData["motion"], countsPerRevolution: number | null) {
    this.#motion = motion;
    this.#countsPerRevolution = countsPerRevolution ?? 1;
  }

  get #countsPerStep(): number {
    const { unit, scale } = this.#motion.velocity;
    return unit === "rpm" ? (scale * this.#countsPerRevolution) / 60 : scale;
  }

  /** Raw speed word, rounded towards zero so that no limit is exceeded. Sign of `countsPerS` is kept. */
  speed(countsPerS: number): DriveValue {
    const { min, max, unit } = this.#motion.velocity;
    const raw = down(Math.abs(countsPerS) / this.#countsPerStep);
    const word = unit === "rpm" ? "rpm" : "drive units";
    if (raw < min)
      return { trouble: `a speed of ${plain(countsPerS)} counts/s is below ${min} ${word}, the least the drive takes` };
    if (raw > max)
      return { trouble: `a speed of ${plain(countsPerS)} counts/s is above ${max} ${word}, the most the drive takes` };
    return { raw: Math.sign(countsPerS) * raw };
  }

  /** Raw ramp word for an acceleration above 0, rounded to the gentler side. */
  ramp(countsPerS2: number): DriveValue {
    const { unit, scale, min, max } = this.#motion.ramp;
    const perStep = 1000 * (this.#countsPerRevolution / 60);
    const raw = unit === "ms-per-1000rpm" ? up((perStep / countsPerS2) * (1000 / scale)) : down(countsPerS2 / scale);
    const words = unit === "ms-per-1000rpm" ? `${plain(raw)} ms per 1000 rpm` : `${plain(raw)} drive units`;
    if (raw > max)
      return { trouble: `${plain(countsPerS2)} counts/s2 is ${words}, above ${max}, the most the drive takes` };
    // A drive that takes only gentler ramps than asked stays inside the limit with its steepest one.
    if (raw < min && unit === "ms-per-1000rpm") return { raw: min };
    if (raw < min)
      return { trouble: `${plain(countsPerS2)} counts/s2 is ${words}, below ${min}, the least the drive takes` };
    return { raw };
  }

  /** counts/s of a raw speed word. */
  countsPerS(raw: number): number {
    return raw * this.#countsPerStep;
  }
}

const plain = (value: number): string => String(Math.round(value * 1000) / 1000);
