import {
  type CommandId,
  type CommandType,
  countMagnitude,
  countRateFromUnits,
  MOTION_COMMANDS,
  type OrderAction,
  type ProblemFacts,
  type Refusal,
} from "@servofleet/contracts";
import { assert } from "@servofleet/runtime/assert";
import { type AxisEvent, ofCommand } from "./axis-event.ts";
import { type Axis, isDispatched, isDriving, type OpenCommand, scaleOf } from "./axis-state.ts";
import { isWithin, limitCounts } from "./limits.ts";
import { plain, problem, refuse } from "./refusal.ts";
import { withStateChange } from "./state-change.ts";

/** What to send, or why not any more (then `failDispatch`). The command must be open and only accepted. */
export function orderAction(axis: Axis, commandId: CommandId): OrderAction | Refusal {
  const command = axis.open.get(commandId);
  assert(command !== undefined && !isDispatched(command), `command ${commandId} is not waiting to be sent`);
  const changed = changedSince(axis, command);
  return changed ? refuse(changed) : actionOf(axis, command);
}

/** The axis may have changed between decision and dispatch: what kept the wish back then keeps it back now. */
function changedSince(axis: Axis, command: OpenCommand): ProblemFacts | null {
  const { type, targetCounts } = command;
  const nothingSent = "nothing was sent; look at the axis and ask again";
  if (command.stopGeneration !== axis.stopGeneration) {
    const detail = `a stop came after the decision (generation ${axis.stopGeneration}, decided under ${command.stopGeneration})`;
    return problem("stop-latched", detail, nothingSent);
  }
  if (axis.offlineReason !== null) {
    return problem("axis-offline", `axis ${axis.id} does not answer: ${axis.offlineReason}`, nothingSent);
  }
  if (!isDriving(type)) return null;
  if (axis.stopLatched) return problem("stop-latched", `a stop is latched on axis ${axis.id}`, nothingSent);
  if (axis.reconcileRequired && MOTION_COMMANDS.has(type)) {
    return problem("reconcile-required", `axis ${axis.id} waits for a person`, nothingSent);
  }
  if (axis.fault !== null) {
    const detail = `axis ${axis.id} is in error-stop: ${axis.fault.code} ${axis.fault.name}`;
    return problem("axis-not-ready", detail, nothingSent);
  }
  if (!axis.enabled) return problem("axis-not-ready", `axis ${axis.id} is disabled`, nothingSent);
  if (targetCounts !== null && !isWithin(axis, targetCounts)) {
    const { min, max } = limitCounts(axis);
    return problem(
      "soft-limit",
      `target ${plain(targetCounts)} counts is outside ${min} to ${max} counts`,
      nothingSent,
    );
  }
  return null;
}

/** In counts, counts/s and counts/s2, machine frame. */
function actionOf(axis: Axis, command: OpenCommand): OrderAction {
  const scale = scaleOf(axis);
  const { request } = command;
  const magnitude = (value: number | null): number => {
    assert(value !== null, `${command.type} ${command.commandId} was accepted without its numbers`);
    return countMagnitude(value, scale);
  };
  switch (request.type) {
    case "Enable":
      return { kind: "enable" };
    case "Disable":
      return { kind: "disable" };
    case "Reset":
      return { kind: "reset-fault" };
    case "Home": {
      const { method, offset } = axis.config.homing;
      const offsetCounts = Math.round(offset * scale.countsPerUnit) + 0;
      const rates = { velocity: magnitude(command.velocity), acceleration: magnitude(command.acceleration) };
      return { kind: "home", method, ...rates, offsetCounts };
    }
    case "MoveAbsolute":
    case "MoveRelative":
      assert(command.targetCounts !== null, `${command.type} ${command.commandId} was accepted without a target`);
      return {
        kind: "move-absolute",
        targetCounts: command.targetCounts,
        velocity: magnitude(command.velocity),
        acceleration: magnitude(command.acceleration),
        deceleration: magnitude(command.deceleration),
      };
    case "MoveVelocity": {
      const { min: minCounts, max: maxCounts } = limitCounts(axis);
      const velocity = countRateFromUnits(command.velocity ?? 0, scale);
      const ramps = { acceleration: magnitude(command.acceleration), deceleration: magnitude(command.deceleration) };
      return { kind: "move-velocity", velocity, ...ramps, minCounts, maxCounts };
    }
    case "Halt":
      return { kind: "halt", deceleration: magnitude(command.deceleration) };
    case "WriteParameter":
      return { kind: "write-parameter", parameter: request.parameter, value: request.value };
    case "SetPosition":
      return assertNeverSent(request.type);
  }
}

function assertNeverSent(type: CommandType): never {
  assert(false, `${type} is done at acceptance and never sent`);
}

/**
 * Write-ahead: append and fsync these before the order goes to the bridge. A motion on the wire is superseded here, where
 * its successor may reach the wire; under a Halt or Disable it goes on until their reports end it.
 */
export function dispatchEvents(axis: Axis, commandId: CommandId, orderId: string): readonly AxisEvent[] {
  const command = axis.open.get(commandId);
  assert(command !== undefined && !isDispatched(command), `command ${commandId} is not waiting to be sent`);
  const supersedes = (older: OpenCommand): boolean =>
    isDriving(older.type) && isDispatched(older) && (MOTION_COMMANDS.has(command.type) || older.type === command.type);
  const aborted = isDriving(command.type) ? [...axis.open.values()].filter(supersedes) : [];
  const { stopGeneration } = axis;
  return withStateChange(axis, [
    ...aborted.map((older) =>
      ofCommand(older.commandId, { type: "CommandSuperseded", data: { by: commandId, frames: [] } }, commandId),
    ),
    ofCommand(commandId, {
      type: "DispatchStarted",
      data: { orderId, stopGeneration, targetCounts: command.targetCounts },
    }),
  ]);
}

/** Ends a command that may not be sent any more; nothing was sent. No events when it has been sent or has ended. */
export function failDispatch(axis: Axis, commandId: CommandId, problem: ProblemFacts): readonly AxisEvent[] {
  const command = axis.open.get(commandId);
  if (!command || isDispatched(command)) return [];
  const failed = ofCommand(commandId, { type: "CommandFailed", data: { problem, finalPosition: null, frames: [] } });
  return withStateChange(axis, [failed]);
}
