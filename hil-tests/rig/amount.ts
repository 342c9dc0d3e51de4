/** A physical value in a scenario: units of the axis, or a share of what the axis may use (`40%`). */
export type Amount = number | string;

/** The stretch of an axis that a rig lends to its scenarios, units. */
export interface Reach {
  readonly min: number;
  readonly max: number;
}

const SHARE = /^(-?\d+(?:\.\d+)?)%$/;

/** What the schema of a scenario accepts. */
export const amountSchema = { anyOf: [{ type: "number" }, { type: "string", pattern: SHARE.source }] };

const shareOf = (amount: string): number => Number(SHARE.exec(amount)?.[1]) / 100;

/** A place: a share counts from the lower end of the reach, so `150%` lies beyond it. */
export const placeIn = (reach: Reach, amount: Amount): number =>
  typeof amount === "number" ? amount : round(reach.min + shareOf(amount) * (reach.max - reach.min));

/** A distance or a tolerance: a share of the reach's length. */
export const lengthIn = (reach: Reach, amount: Amount): number =>
  typeof amount === "number" ? amount : round(shareOf(amount) * (reach.max - reach.min));

/** A velocity or acceleration: a share of the axis's limit. */
export const partOf = (limit: number, amount: Amount): number =>
  typeof amount === "number" ? amount : round(shareOf(amount) * limit);

// A share of a decimal limit would carry the dust of binary fractions into the log.
const round = (value: number): number => Math.round(value * 1e6) / 1e6;
