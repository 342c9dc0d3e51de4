import type { AxisStatus, DomainEvent } from "@servofleet/contracts";
import type { Axis } from "./axis-state.ts";
import { drivingCommand } from "./plcopen-state.ts";
import { cut } from "./refusal.ts";
import { type Change, shownAt } from "./report-change.ts";

/** What reading the drive shows, against what the log knows. */
export function statusReport(status: AxisStatus, axis: Axis): Change {
  if (!status.online) {
    if (axis.offlineReason !== null) return { events: [], seen: {} };
    const reason = cut(status.offlineReason ?? "no answer");
    // Its last values stay as they were: nothing newer is known.
    return { events: [{ event: { type: "AxisWentOffline", data: { reason } } }], seen: {} };
  }
  const events: DomainEvent[] = [];
  if (axis.offlineReason !== null) events.push({ type: "AxisCameOnline", data: {} });
  events.push(...faultChange(status, axis));
  if (isUnexpected(status, axis)) {
    events.push({ type: "UnexpectedMotionSeen", data: { position: shownAt(axis, status.positionCounts) } });
  }
  const { enabled, homed, positionCounts } = status;
  // A shaft without power may be turned by hand: that is no motion of ours to show or to stop.
  const moving = status.moving && (enabled || axis.moving);
  return { events: events.map((event) => ({ event })), seen: { enabled, homed, moving, positionCounts } };
}

function faultChange(status: AxisStatus, axis: Axis): DomainEvent[] {
  if (axis.fault?.code === status.fault?.code) return [];
  const events: DomainEvent[] = [];
  if (axis.fault) events.push({ type: "FaultCleared", data: { fault: axis.fault } });
  if (status.fault) events.push({ type: "FaultRaised", data: { fault: status.fault } });
  return events;
}

/** Motion that starts while no command of ours drives the axis and no stop is bringing it to rest. */
function isUnexpected(status: AxisStatus, axis: Axis): boolean {
  if (!status.moving || !status.enabled || status.fault !== null || status.stopPending) return false;
  // What moved before a silence is nobody's motion any more once its command has ended meanwhile.
  const reckonedWith = axis.moving && (axis.offlineReason === null || axis.stopLatched);
  return !reckonedWith && !axis.unexpectedMotion && drivingCommand(axis) === undefined;
}
