import type { TelemetrySample } from "./telemetry-schema.ts";

/** What is rolled up. */
export const SIGNALS = ["position", "velocity", "followingError", "torque", "temperature"] as const;
/** One of them. */
export type Signal = (typeof SIGNALS)[number];

/** Smallest, largest and sum of a signal over `count` known values: two of them can be joined without loss. */
export interface Tally {
  readonly min: number;
  readonly max: number;
  readonly sum: number;
  readonly count: number;
}

/** A stretch of time; a signal that was never known in it is absent. */
export interface RollUp {
  readonly fromUs: number;
  readonly count: number;
  readonly tallies: { readonly [S in Signal]?: Tally };
}

/** Roll-ups of `widthUs`, aligned to `originUs`, ascending. Parts of the same stretch are joined; empty ones are absent. Pure. */
export function joinRollUps(parts: Iterable<RollUp>, widthUs: number, originUs = 0): RollUp[] {
  const joined = new Map<number, RollUp>();
  for (const part of parts) {
    const fromUs = originUs + Math.floor((part.fromUs - originUs) / widthUs) * widthUs;
    const before = joined.get(fromUs);
    joined.set(fromUs, before ? joinTwo(before, part) : { ...part, fromUs });
  }
  return [...joined.values()].sort((a, b) => a.fromUs - b.fromUs);
}

/** One sample as the smallest of roll-ups. */
export function rollUpOfSample(sample: TelemetrySample): RollUp {
  const tallies: { [S in Signal]?: Tally } = {};
  for (const signal of SIGNALS) {
    const value = sample[signal];
    if (value !== null) tallies[signal] = { min: value, max: value, sum: value, count: 1 };
  }
  return { fromUs: sample.atUs, count: 1, tallies };
}

function joinTwo(a: RollUp, b: RollUp): RollUp {
  const tallies: { [S in Signal]?: Tally } = { ...a.tallies };
  for (const signal of SIGNALS) {
    const [one, other] = [a.tallies[signal], b.tallies[signal]];
    if (one && other)
      tallies[signal] = {
        min: Math.min(one.min, other.min),
        max: Math.max(one.max, other.max),
        sum: one.sum + other.sum,
        count: one.count + other.count,
      };
    else if (other) tallies[signal] = other;
  }
  return { fromUs: a.fromUs, count: a.count + b.count, tallies };
}
