import type { AxisStatus, Report } from "@servofleet/contracts";
import { type Axis, isDriving } from "./axis-state.ts";

/**
 * The newest reading of an axis after one more report. The bridge sends `axis-status` on changes only, and a short move
 * may begin and end between two of them; its own reports then know better where the axis is. Call it with the axis
 * as it was before the report's events, and give the result to `decide`.
 */
export function latestStatus(status: AxisStatus | null, report: Report, axis: Axis): AxisStatus | null {
  if (!isAbout(report, axis)) return status;
  if (report.type === "axis-status" || report.type === "settled") return report.status;
  if (status === null) return null;
  switch (report.type) {
    case "motion-started":
      return { ...status, moving: true, positionCounts: report.positionCounts, atUs: report.atUs };
    case "order-done": {
      const type = axis.open.get(report.commandId)?.type;
      const stands = type !== undefined && isDriving(type) && type !== "MoveVelocity";
      return at(stands ? { ...status, moving: false } : status, report.positionCounts, report.atUs);
    }
    case "order-failed":
    case "order-aborted":
      return at(status, report.positionCounts, report.atUs);
    case "stop-result":
      // The generation stays that of the reading: what it shows was measured under that one.
      return { ...status, stopPending: report.result !== "acknowledged" };
    case "bridge-ready":
    case "link-status":
    case "order-sent":
    case "order-acknowledged":
    case "order-unknown":
    case "order-unsettled":
    case "order-refused":
      return status;
  }
}

const at = (status: AxisStatus, positionCounts: number | null, atUs: number): AxisStatus =>
  positionCounts === null ? status : { ...status, positionCounts, atUs };

/** Whether a report says something of this axis; those that name none are about all. */
export function isAbout(report: Report, axis: Axis): boolean {
  if (report.type === "axis-status") return report.status.axis === axis.id;
  return !("axis" in report) || report.axis === axis.id;
}
