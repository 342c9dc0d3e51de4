import type { AxisStatus, ProblemFacts } from "@servofleet/contracts";
import { type Axis, isDriving } from "../domain/axis-state.ts";
import { problem } from "../domain/refusal.ts";

/**
 * What keeps an axis from taking part in a run. PLCopen: a group with an axis in error is in error. Whether an axis is
 * enabled or homed is the matter of the steps, which may do both.
 */
export function unfit(axis: Axis, status: AxisStatus | null, itsRunGoesOn: boolean): ProblemFacts | null {
  const { id } = axis;
  if (axis.reconcileRequired) {
    const why = axis.reconcileReason ?? "an outcome is open";
    return problem("reconcile-required", `axis ${id} waits for a person: ${why}`, `look at it, then reconcile it`);
  }
  if (axis.stopLatched) {
    const detail = `a stop is latched on axis ${id}`;
    return problem("stop-latched", detail, "find out why it was stopped, then send Reset once it stands");
  }
  if (axis.offlineReason !== null || !status?.online) {
    const detail = `axis ${id} does not answer: ${axis.offlineReason ?? status?.offlineReason ?? "no reading"}`;
    return problem("axis-offline", detail, "check the drive's power, its cable and its unit id");
  }
  if (axis.fault !== null) {
    const detail = `axis ${id} is in error-stop: ${axis.fault.code} ${axis.fault.name}`;
    return problem("axis-not-ready", detail, `${axis.fault.remedy}; then send Reset`);
  }
  const driven = axis.moving || axis.open.values().some(({ type }) => isDriving(type));
  if (axis.unexpectedMotion || (driven && !itsRunGoesOn))
    return problem("axis-not-ready", `axis ${id} moves; a run starts from rest`, "wait until it stands, or halt it");
  return null;
}
