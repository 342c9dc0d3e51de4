import { displayFromCounts, type EventData } from "@servofleet/contracts";
import type { AxisEvent } from "./axis-event.ts";
import { type Axis, scaleOf } from "./axis-state.ts";
import { evolve } from "./evolve.ts";
import { governingCommand, plcopenState, stateFacts } from "./plcopen-state.ts";
import { cut } from "./refusal.ts";

/** What a report shows beside its own facts; carried into the log by `AxisStateChanged`. */
export interface Seen {
  readonly enabled?: boolean;
  readonly homed?: boolean;
  readonly moving?: boolean;
  readonly positionCounts?: number | null;
}

/** The axis after a batch of its own events. */
export function foldEvents(axis: Axis, events: readonly AxisEvent[]): Axis {
  return events.reduce(
    (folded, { event, commandId }) =>
      evolve(folded, event, { version: folded.version + 1, commandId: commandId ?? null }),
    axis,
  );
}

/**
 * Folds the events and appends `AxisStateChanged` when any part of the shown state has changed. Of the position only a
 * shift of the display counts; travel is telemetry.
 */
export function withStateChange(before: Axis, events: readonly AxisEvent[], seen: Seen = {}): readonly AxisEvent[] {
  const { positionCounts, ...flags } = seen;
  const folded = foldEvents(before, events);
  const after: Axis = { ...folded, ...flags };
  // Recorded with the time of this event, so only what was measured with it: an older reading would be dated anew.
  const learnt = folded.positionCounts === before.positionCounts ? null : folded.positionCounts;
  const measured = positionCounts ?? learnt;
  const shown: EventData<"AxisStateChanged"> = {
    state: plcopenState(stateFacts(after)),
    stopLatched: after.stopLatched,
    homed: after.homed,
    enabled: after.enabled,
    reconcileRequired: after.reconcileRequired,
    currentCommand: governingCommand(after)?.commandId ?? null,
    position: measured === null ? null : displayFromCounts(measured, scaleOf(after)),
  };
  const same =
    shown.state === before.state &&
    shown.stopLatched === before.stopLatched &&
    shown.homed === before.homed &&
    shown.enabled === before.enabled &&
    shown.reconcileRequired === before.reconcileRequired &&
    shown.currentCommand === before.currentCommand &&
    after.displayOffset === before.displayOffset;
  return same ? events : [...events, { event: { type: "AxisStateChanged", data: shown } }];
}

/** Nobody reads the axis any more (bridge lost): offline with that reason. */
export function decideUnread(axis: Axis, reason: string): readonly AxisEvent[] {
  if (axis.offlineReason !== null) return [];
  return withStateChange(axis, [{ event: { type: "AxisWentOffline", data: { reason: cut(reason) } } }]);
}
