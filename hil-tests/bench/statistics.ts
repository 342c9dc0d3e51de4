/** Figures of a bench; pure. Every function wants at least one value. */

const ascending = (values: readonly number[]): number[] => [...values].sort((a, b) => a - b);

/** The middle value; of an even number of values the mean of the two in the middle. NaN for none. */
export function median(values: readonly number[]): number {
  const sorted = ascending(values);
  const upper = sorted.length >> 1;
  const high = sorted[upper] ?? Number.NaN;
  return sorted.length % 2 === 1 ? high : ((sorted[upper - 1] ?? Number.NaN) + high) / 2;
}

/** Nearest-rank quantile, `share` above 0 to 1: a value that was measured, never an interpolation. NaN for none. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = ascending(values);
  const rank = Math.min(sorted.length, Math.max(1, Math.ceil(share * sorted.length)));
  return sorted[rank - 1] ?? Number.NaN;
}

/** Lowest and highest value. */
export const spreadOf = (values: readonly number[]): readonly [number, number] => {
  const sorted = ascending(values);
  return [sorted[0] ?? Number.NaN, sorted.at(-1) ?? Number.NaN];
};

/** Each value by the reference that was measured beside it, so that a slow minute of the machine slows both. */
export const ratiosOf = (values: readonly number[], references: readonly number[]): number[] =>
  values.map((value, at) => value / (references[at] ?? Number.NaN));

/** Cuts a figure to what can be believed: four significant digits, whole numbers left whole. */
export const rounded = (value: number): number =>
  Number.isInteger(value) || !Number.isFinite(value) || Math.abs(value) >= 10_000
    ? Math.round(value)
    : Number(value.toPrecision(4));
