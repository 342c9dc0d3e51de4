import { displayFromCounts, type ProblemFacts } from "@servofleet/contracts";
import { type Axis, scaleOf } from "./axis-state.ts";
import { plain, problem } from "./refusal.ts";

/** Room for binary fractions, as a share of one count or unit: 0.29 * 100 is 28.999999999999996. */
const ROUNDING = 1e-6;

/** A value of the request that is beyond its limit. */
export interface Excess {
  readonly pointer: string;
  /** "at most 800". */
  readonly detail: string;
  /** "position 900 mm is beyond max 800 mm". */
  readonly words: string;
  readonly remedy: string;
}

/** The soft limits in drive counts, lower first whatever the direction of the axis. Whole counts inside the limits. */
export function limitCounts(axis: Axis): { readonly min: number; readonly max: number } {
  const { countsPerUnit, limits } = axis.config;
  const a = limits.min * countsPerUnit;
  const b = limits.max * countsPerUnit;
  return { min: Math.ceil(Math.min(a, b) - ROUNDING) + 0, max: Math.floor(Math.max(a, b) + ROUNDING) + 0 };
}

/** Rounds a target to whole counts without leaving the limits by less than one count. */
export function countsWithin(axis: Axis, display: number): number {
  const { min, max } = limitCounts(axis);
  const counts = Math.round((display - axis.displayOffset) * axis.config.countsPerUnit);
  return Math.min(max, Math.max(min, counts)) + 0;
}

export const isWithin = (axis: Axis, counts: number): boolean => {
  const { min, max } = limitCounts(axis);
  return counts >= min && counts <= max;
};

/** A target against the soft limits, all in display units (limits bind in the machine frame, so they shift along). */
export function positionExcess(axis: Axis, target: number, distance: number | null): Excess | null {
  const { unitName, limits } = axis.config;
  const min = limits.min + axis.displayOffset;
  const max = limits.max + axis.displayOffset;
  if (target >= min - ROUNDING && target <= max + ROUNDING) return null;
  const above = target > max;
  const side = above ? `beyond max ${plain(max)} ${unitName}` : `below min ${plain(min)} ${unitName}`;
  const base = distance === null ? 0 : target - distance;
  const allowed = `${plain(min - base)} to ${plain(max - base)} ${unitName}`;
  const detail = above ? `at most ${plain(max - base)}` : `at least ${plain(min - base)}`;
  if (distance === null) {
    const words = `position ${plain(target)} ${unitName} is ${side}`;
    return { pointer: "/position", detail, words, remedy: `ask for ${allowed}` };
  }
  const words = `distance ${plain(distance)} ${unitName} leads to position ${plain(target)} ${unitName}, ${side}`;
  return { pointer: "/distance", detail, words, remedy: `ask for a distance of ${allowed}` };
}

/**
 * Farthest from 0 that a display may be set, in counts: the span of a drive's 32-bit position. Far beyond it one count
 * is less than the step between two numbers, and a move would be rounded to another place than the one asked for.
 */
const DISPLAY_MAX_COUNTS = 2 ** 32;

/** A `SetPosition` too far from 0 for its display to tell two neighbouring counts apart. */
export function displayExcess(axis: Axis, position: number): Excess | null {
  const { countsPerUnit, unitName } = axis.config;
  const max = Math.floor(DISPLAY_MAX_COUNTS / Math.abs(countsPerUnit));
  if (Math.abs(position) <= max) return null;
  return {
    pointer: "/position",
    detail: position > 0 ? `at most ${plain(max)}` : `at least ${plain(-max)}`,
    words: `position ${plain(position)} ${unitName} is too far from 0 to tell one drive count from the next`,
    remedy: `ask for ${plain(-max)} to ${plain(max)} ${unitName}`,
  };
}

/** A magnitude above 0 and at most the limit; `undefined` stands for the default, which is within. */
export function rateExcess(name: string, value: number | undefined, max: number, unit: string): Excess | null {
  if (value === undefined || (value > 0 && value <= max)) return null;
  const above = value > max;
  return {
    pointer: `/${name}`,
    detail: above ? `at most ${plain(max)}` : "above 0",
    words: `${name} ${plain(value)} ${unit} is ${above ? `beyond max ${plain(max)} ${unit}` : "not above 0"}`,
    remedy: `ask for a ${name} above 0 and at most ${plain(max)} ${unit}`,
  };
}

/** A velocity move: signed, not 0, and not towards a limit the axis stands at or beyond. */
export function directionExcess(axis: Axis, velocity: number, positionCounts: number | null): Excess | null {
  const { unitName, limits, homing, countsPerUnit } = axis.config;
  const unit = `${unitName}/s`;
  if (velocity === 0) {
    const words = `velocity 0 ${unit} has no direction`;
    return { pointer: "/velocity", detail: "not 0", words, remedy: "ask for a signed velocity, or use Halt" };
  }
  const magnitude = rateExcess("velocity", Math.abs(velocity), limits.velocity, unit);
  if (magnitude) return magnitude;
  // Before homing the counts mean nothing yet; the limit switches and the bridge's watch remain.
  if (positionCounts === null || (homing.required && !axis.homed)) return null;
  const bound = limitCounts(axis);
  const upwards = velocity * countsPerUnit > 0;
  if (upwards ? positionCounts < bound.max : positionCounts > bound.min) return null;
  const here = plain(displayFromCounts(positionCounts, scaleOf(axis)));
  const words = `the axis stands at ${here} ${unitName}, at or beyond the limit in the direction of ${plain(velocity)} ${unit}`;
  const detail = velocity > 0 ? "below 0" : "above 0";
  return { pointer: "/velocity", detail, words, remedy: "move in the other direction" };
}

/** One problem for everything that is beyond a limit, all at once. */
export function softLimit(found: readonly (Excess | null)[]): ProblemFacts | null {
  const excesses = found.filter((excess) => excess !== null);
  if (excesses.length === 0) return null;
  const join = (texts: readonly string[]): string => texts.join("; ");
  return problem(
    "soft-limit",
    join(excesses.map((excess) => excess.words)),
    join(excesses.map((excess) => excess.remedy)),
    excesses.map(({ pointer, detail }) => ({ pointer, detail })),
  );
}
