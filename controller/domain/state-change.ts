import type { AxisEvent } from "./axis-event.ts";
import type { Axis } from "./axis-state.ts";

/** What a report shows beside its own facts; carried into the log by `AxisStateChanged`. */
export interface Seen {
  readonly enabled?: boolean;
  readonly homed?: boolean;
  readonly moving?: boolean;
  readonly positionCounts?: number | null;
}
/** Folds the events and appends `AxisStateChanged` when any part of the shown state has changed. */
export declare function withStateChange(before: Axis, events: readonly AxisEvent[], seen?: Seen): readonly AxisEvent[];
/** The axis after a batch of its own events. */
export declare function foldEvents(axis: Axis, events: readonly AxisEvent[]): Axis;
/** Nobody reads the axis any more (bridge lost): offline with that reason. */
export declare function decideUnread(axis: Axis, reason: string): readonly AxisEvent[];
