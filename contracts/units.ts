/**
 * Three frames of position, and the only place that converts between them.
 *
 * - drive counts: integers, what the drive speaks. Limits bind here.
 * - machine position: counts / countsPerUnit, in the axis's `unitName`. Limits are configured here.
 * - display position: machine position + display offset (SetPosition moves only this offset, never a limit).
 *
 * A negative `countsPerUnit` turns the direction.
 */
export interface AxisScale {
  /** Drive counts per one unit; never 0; the sign turns the direction. */
  readonly countsPerUnit: number;
  /** Added to the machine position for display, in units. */
  readonly displayOffset: number;
}

/** Display position (units) of a drive position (counts). */
export const displayFromCounts = (counts: number, scale: AxisScale): number =>
  counts / scale.countsPerUnit + scale.displayOffset;

/** Drive position (whole counts) of a display position (units). */
export const countsFromDisplay = (display: number, scale: AxisScale): number =>
  Math.round((display - scale.displayOffset) * scale.countsPerUnit);

/** Signed rate: counts/s to units/s (also for accelerations and distances). */
export const unitsFromCountRate = (countsPerS: number, scale: AxisScale): number => countsPerS / scale.countsPerUnit;

/** Signed rate: units/s to counts/s. */
export const countRateFromUnits = (unitsPerS: number, scale: AxisScale): number => unitsPerS * scale.countsPerUnit;

/** Magnitude of a rate or acceleration in counts, whatever the direction of the axis. */
export const countMagnitude = (units: number, scale: AxisScale): number => Math.abs(units * scale.countsPerUnit);
