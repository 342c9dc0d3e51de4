import { rfc3339 } from "@servofleet/contracts";
import type { AxisEvent } from "./axis-event.ts";
import type { Axis } from "./axis-state.ts";
import { stopEvents } from "./decide-stop.ts";
import { type Change, NO_CHANGE, type ReportOf } from "./report-change.ts";

/**
 * How a stop went. A stop the bridge raised by itself (controller lost, a lapse) is latched here first: its generation
 * is news to us. A result that was heard before gives nothing.
 */
export function stopReport(report: ReportOf<"stop-result">, axis: Axis): Change {
  const { stopId, stopGeneration, result, reason, problem } = report;
  const known = axis.stops.find((stop) => stop.stopId === stopId);
  if (known && (known.result === result || known.result === "acknowledged")) return NO_CHANGE;
  const foreign = !known && stopGeneration > axis.stopGeneration;
  const at = rfc3339(report.atUs);
  const latched = foreign
    ? stopEvents(axis, { stopId, stopGeneration, scope: "axis", reason, principal: "bridge", at })
    : [];
  if (!known && !foreign) return NO_CHANGE;
  const confirmed: AxisEvent = {
    event: {
      type: "StopConfirmed",
      data: { stopId, stopGeneration, result, problem, frames: [...report.frames] },
    },
    causationId: stopId,
  };
  return { events: [...latched, confirmed], seen: {} };
}
