import { displayFromCounts, type Report } from "@servofleet/contracts";
import type { AxisEvent } from "./axis-event.ts";
import { type Axis, scaleOf } from "./axis-state.ts";
import type { Seen } from "./state-change.ts";

/** What a report says: its own events, and what it shows beside them. */
export interface Change {
  readonly events: readonly AxisEvent[];
  readonly seen: Seen;
}
export const NO_CHANGE: Change = { events: [], seen: {} };

export type ReportOf<T extends Report["type"]> = Extract<Report, { type: T }>;

/** Display position of a reading; null stays null. */
/** How far from its target an axis ended, units, to the count and no finer; null when either is unknown. */
export const errorOf = (axis: Axis, finalPosition: number | null, target: number | null): number | null => {
  if (finalPosition === null || target === null) return null;
  const { countsPerUnit } = scaleOf(axis);
  return Math.round((finalPosition - target) * countsPerUnit) / countsPerUnit + 0;
};

export const shownAt = (axis: Axis, counts: number | null): number | null =>
  counts === null ? null : displayFromCounts(counts, scaleOf(axis));
