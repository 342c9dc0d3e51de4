import type { CommandId, Refusal } from "@servofleet/contracts";
import { type AxisEvent, ofCommand } from "./axis-event.ts";
import { type Axis, isDispatched } from "./axis-state.ts";
import { problem, refuse } from "./refusal.ts";
import { withStateChange } from "./state-change.ts";

/** Its time to start is over: no events unless it is only accepted. */
export function expire(axis: Axis, commandId: CommandId): readonly AxisEvent[] {
  const command = axis.open.get(commandId);
  if (!command || isDispatched(command)) return [];
  const reason = `not sent within ${command.ttlMs} ms`;
  const expired = ofCommand(commandId, { type: "CommandExpired", data: { reason, frames: [] } });
  return withStateChange(axis, [expired]);
}

/**
 * Cancels what has not been sent; `already-dispatched` (409) for anything later. The caller knows the command:
 * an id that the log has never seen is the caller's `not-found`.
 */
export function cancel(axis: Axis, commandId: CommandId, principal: string): readonly AxisEvent[] | Refusal {
  const command = axis.open.get(commandId);
  if (!command) {
    const detail = `command ${commandId} has ended already`;
    return refuse(problem("already-dispatched", detail, "nothing is left to cancel"));
  }
  if (isDispatched(command)) {
    const detail = `${command.type} ${commandId} has been sent (it is ${command.phase})`;
    return refuse(problem("already-dispatched", detail, `send Halt to axis ${axis.id}, or stop it`));
  }
  const cancelled = ofCommand(commandId, { type: "CommandCancelled", data: { by: principal, frames: [] } });
  return withStateChange(axis, [cancelled]);
}
