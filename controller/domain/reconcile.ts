import type { Refusal } from "@servofleet/contracts";
import { type AxisEvent, ofCommand } from "./axis-event.ts";
import type { Axis } from "./axis-state.ts";
import { drivingCommand } from "./plcopen-state.ts";
import { cut, plain, problem, refuse } from "./refusal.ts";
import { shownAt } from "./report-change.ts";
import { withStateChange } from "./state-change.ts";

/**
 * A person has looked at the axis. `adopt`: what is there is taken as the outcome, and a motion under observation goes
 * on. `abandon`: the wishes are given up; refused (409 `axis-not-ready`) while one of them still drives the axis. The
 * state of an indeterminate command stays; only its `settled` is filled. Nothing is sent either way.
 */
export function reconcile(
  axis: Axis,
  decision: "adopt" | "abandon",
  principal: string,
): readonly AxisEvent[] | Refusal {
  if (!axis.reconcileRequired) {
    return refuse(problem("axis-not-ready", `axis ${axis.id} has nothing to reconcile`, "go on as you are"));
  }
  const driving = drivingCommand(axis);
  if (decision === "abandon" && driving) {
    const detail = `${driving.type} ${driving.commandId} still drives axis ${axis.id}`;
    return refuse(problem("axis-not-ready", detail, 'wait for its end or stop the axis, or decide "adopt"'));
  }
  const position = shownAt(axis, axis.positionCounts);
  const where = position === null ? "position not known" : `axis at ${plain(position)} ${axis.config.unitName}`;
  const verb = decision === "adopt" ? "adopted" : "abandoned";
  const settled = cut(`${verb} by ${principal}: ${where}`);
  return withStateChange(axis, [
    ...axis.unsettled.map((commandId) => ofCommand(commandId, { type: "OutcomeSettled", data: { settled } })),
    { event: { type: "AxisReconciled", data: { decision, principal } } },
  ]);
}
