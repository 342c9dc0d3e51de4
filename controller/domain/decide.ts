import {
  ACCEPTED_EVENT,
  type AxisStatus,
  type Command,
  type CommandRequest,
  type DomainEvent,
  type EventData,
  MOTION_COMMANDS,
  type Refusal,
} from "@servofleet/contracts";
import { assert } from "@servofleet/runtime/assert";
import { type AxisEvent, ofCommand } from "./axis-event.ts";
import { type Axis, isDispatched, isDriving } from "./axis-state.ts";
import { type MotionPlan, planMotion } from "./motion-plan.ts";
import { isBeingDisabled, readiness } from "./readiness.ts";
import { refuse } from "./refusal.ts";
import { withStateChange } from "./state-change.ts";

export { isRefusal } from "./refusal.ts";

/**
 * Takes or refuses a wish. Accepted is not sent: what runs is only ended when its successor is dispatched (`dispatch.ts`),
 * so a successor that never gets there leaves it untouched; what was not sent yet ends here, with nothing sent.
 *
 * `status`: the newest reading as `latestStatus` keeps it; null when there is none (or the bridge is lost).
 */
export function decide(command: Command, axis: Axis, status: AxisStatus | null): readonly AxisEvent[] | Refusal {
  assert(!axis.open.has(command.commandId), `command ${command.commandId} is decided twice`);
  const unready = readiness(command, axis, status);
  if (unready) return refuse(unready);
  const plan = planMotion(command.request, axis, status);
  if ("slug" in plan) return refuse(plan);
  const events = [acceptance(command, axis, plan), ...displaced(command, axis), ...doneAtOnce(command, axis, status)];
  const shifts = command.request.type === "SetPosition";
  return withStateChange(axis, events, shifts ? { positionCounts: status?.positionCounts ?? null } : {});
}

/** The event that records a refusal (409, 412, 422, 423) under the command's id. */
export function rejected(command: Command, refusal: Refusal): AxisEvent {
  const data: EventData<"CommandRejected"> = {
    commandType: command.request.type,
    request: fieldsOf(command.request),
    principal: command.principal,
    fingerprint: command.fingerprint,
    problem: refusal.problem,
  };
  return { ...ofCommand(command.commandId, { type: "CommandRejected", data }), id: command.commandId };
}

/** The request without its envelope: the type and the time to start have places of their own. */
function fieldsOf(request: CommandRequest): Record<string, unknown> {
  const { type: _, ttlMs: __, ...fields } = request;
  return fields;
}

function acceptance(command: Command, axis: Axis, plan: MotionPlan): AxisEvent {
  const data: EventData<"MoveAccepted"> = {
    commandType: command.request.type,
    request: fieldsOf(command.request),
    principal: command.principal,
    fingerprint: command.fingerprint,
    ttlMs: command.ttlMs,
    stopGeneration: axis.stopGeneration,
    ...plan,
    sawState: axis.state,
    sawVersion: axis.version,
  };
  // Every acceptance event has the same data, so the pair is one of the union.
  const event = { type: ACCEPTED_EVENT[command.request.type], data } as DomainEvent;
  return { ...ofCommand(command.commandId, event), id: command.commandId };
}

/** Older driving commands that were not sent: a newer motion, a Halt and a Disable end them with nothing sent. */
function displaced(command: Command, axis: Axis): AxisEvent[] {
  const { type } = command.request;
  if (!isDriving(type) && type !== "Disable") return [];
  const unsent = [...axis.open.values()].filter((older) => isDriving(older.type) && !isDispatched(older));
  return unsent.map((older) => {
    const superseded = MOTION_COMMANDS.has(type) || older.type === type;
    const event: DomainEvent = superseded
      ? { type: "CommandSuperseded", data: { by: command.commandId, frames: [] } }
      : { type: "CommandStopped", data: { by: type, finalPosition: null, frames: [] } };
    return ofCommand(older.commandId, event, command.commandId);
  });
}

/** Commands that need nothing from the drive are accepted and done in one batch. */
function doneAtOnce(command: Command, axis: Axis, status: AxisStatus | null): AxisEvent[] {
  const of = (event: DomainEvent): AxisEvent => ofCommand(command.commandId, event);
  const succeeded = of({
    type: "CommandSucceeded",
    data: { finalPosition: null, finalError: null, summary: null, frames: [] },
  });
  const { request } = command;
  if (request.type === "SetPosition") {
    const machine = (status?.positionCounts ?? 0) / axis.config.countsPerUnit;
    const displayOffset = request.position - machine;
    return [of({ type: "DisplayOffsetSet", data: { displayOffset } }), succeeded];
  }
  if (request.type === "Reset" && axis.fault === null) {
    const released = of({ type: "LatchReleased", data: { stopGeneration: axis.stopGeneration } });
    return axis.stopLatched ? [released, succeeded] : [succeeded];
  }
  if (request.type === "Enable" && axis.enabled && !isBeingDisabled(axis)) return [succeeded];
  return [];
}
