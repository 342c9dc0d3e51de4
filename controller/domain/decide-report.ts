import type { Report } from "@servofleet/contracts";
import { never } from "@servofleet/runtime/assert";
import { abilitiesReport } from "./abilities-report.ts";
import type { AxisEvent } from "./axis-event.ts";
import type { Axis } from "./axis-state.ts";
import { endReport } from "./end-report.ts";
import { isAbout } from "./latest-status.ts";
import { progressReport } from "./progress-report.ts";
import { decideRecovery } from "./recover.ts";
import { type Change, NO_CHANGE } from "./report-change.ts";
import { withStateChange } from "./state-change.ts";
import { statusReport } from "./status-report.ts";
import { stopReport } from "./stop-report.ts";

/**
 * Facts from the bridge become events. A report about a command that has ended, or one heard before, gives none.
 * Call it for the axis of the report, and with `bridge-ready` for every axis. `settled` is better given to
 * `decideRecovery`, which also says whether to stop; `UnexpectedMotionSeen` in the answer asks the caller for a stop.
 */
export function decideReport(report: Report, axis: Axis): readonly AxisEvent[] {
  if (!isAbout(report, axis)) return [];
  if (report.type === "settled") return decideRecovery(axis, report).events;
  const { events, seen } = changeOf(report, axis);
  return withStateChange(axis, events, seen);
}

function changeOf(report: Exclude<Report, { type: "settled" }>, axis: Axis): Change {
  switch (report.type) {
    case "bridge-ready":
      return abilitiesReport(report, axis);
    case "order-sent":
    case "order-acknowledged":
    case "order-unknown":
    case "motion-started":
      return progressReport(report, axis);
    case "order-refused":
    case "order-unsettled":
    case "order-done":
    case "order-failed":
    case "order-aborted":
      return endReport(report, axis);
    case "stop-result":
      return stopReport(report, axis);
    case "axis-status":
      return statusReport(report.status, axis);
    case "link-status":
      return NO_CHANGE;
    default:
      return never(report);
  }
}
