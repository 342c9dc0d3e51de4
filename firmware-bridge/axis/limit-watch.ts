/** Limits of one axis in drive counts. */
export interface CountLimits {
  readonly min: number;
  readonly max: number;
}

/** Limits of the configuration in counts, whatever the direction of the axis. */
export function countLimits(min: number, max: number, countsPerUnit: number): CountLimits {
  const a = min * countsPerUnit;
  const b = max * countsPerUnit;
  return { min: Math.min(a, b), max: Math.max(a, b) };
}

/** Beyond a limit by more than the window and moving further out. */
export function isRunningOut(
  positionCounts: number,
  velocityCountsPerS: number,
  limits: CountLimits,
  windowCounts: number,
): boolean {
  if (velocityCountsPerS > 0) return positionCounts > limits.max + windowCounts;
  if (velocityCountsPerS < 0) return positionCounts < limits.min - windowCounts;
  return false;
}

/** A velocity move as far as its limits matter; all magnitudes except `velocity`. */
export interface VelocityMove {
  readonly velocity: number;
  readonly acceleration: number;
  readonly deceleration: number;
  readonly minCounts: number;
  readonly maxCounts: number;
}

/**
 * Whether a velocity move has to be halted now: the way that is left is no more than v²/2a plus what it runs on until the
 * halt acts (`reactionMs`: next poll, wire, drive). The speed is the greatest it can have by then; it was measured `ageMs`
 * before the position.
 */
export function mustHalt(
  move: VelocityMove,
  positionCounts: number,
  measuredCountsPerS: number,
  reactionMs: number,
  ageMs = 0,
): boolean {
  const way = Math.sign(move.velocity);
  const left = way > 0 ? move.maxCounts - positionCounts : positionCounts - move.minCounts;
  const reactionS = reactionMs / 1000;
  const soon = Math.max(0, measuredCountsPerS * way) + move.acceleration * (reactionS + ageMs / 1000);
  const speed = Math.max(Math.min(soon, Math.abs(move.velocity)), measuredCountsPerS * way);
  return left <= (speed * speed) / (2 * move.deceleration) + speed * reactionS;
}
