import type { DriveValue, MotionUnits } from "../profile/motion-units.ts";
import type { ProfileData } from "../profile/profile-schema.ts";

/** Rates of one move as the drive's registers have them; null: the drive has no such register, or it is not known. */
export interface ServoRates {
  readonly velocity: number | null;
  readonly ramp: number | null;
}

/** Where the shaft is and how it moves. */
export interface ServoPlace {
  readonly counts: number;
  /** Measured; null where the drive does not tell. */
  readonly countsPerS: number | null;
  readonly moving: boolean;
}

/** Raw rates for a move. A servo has one ramp for both ends: the gentler of the two is taken. */
export function servoRates(
  rates: { readonly velocity: number; readonly acceleration: number; readonly deceleration: number },
  units: MotionUnits,
): ServoRates | { readonly trouble: string } {
  const velocity: DriveValue = units.speed(Math.abs(rates.velocity));
  const ramp = units.ramp(Math.min(rates.acceleration, rates.deceleration));
  if ("trouble" in velocity) return velocity;
  if ("trouble" in ramp) return ramp;
  return { velocity: velocity.raw, ramp: ramp.raw };
}

/**
 * Where a moving shaft can come to rest without turning back, counts. Where the drive does not tell its speed, the speed
 * it was told counts: longer than needed while it still accelerates, and never beyond its goal.
 */
export function brakePoint(
  place: ServoPlace,
  goal: number | null,
  rates: ServoRates,
  motion: ProfileData["motion"],
): number {
  const told = (rates.velocity ?? 0) * motion.velocity.scale * Math.sign((goal ?? place.counts) - place.counts);
  const speed = place.countsPerS ?? (place.moving ? told : 0);
  const deceleration = (rates.ramp ?? 0) * motion.ramp.scale;
  if (speed === 0 || deceleration === 0) return place.counts;
  const at = Math.round(place.counts + (Math.sign(speed) * speed * speed) / (2 * deceleration));
  if (goal === null || Math.sign(goal - place.counts) !== Math.sign(speed)) return at;
  return speed > 0 ? Math.min(at, goal) : Math.max(at, goal);
}
