import type { AxisState, CommandType } from "@servofleet/contracts";
import { type Axis, isDispatched, isDriving, type OpenCommand } from "./axis-state.ts";

/** What decides the shown state. */
export interface StateFacts {
  readonly online: boolean;
  readonly faulted: boolean;
  readonly enabled: boolean;
  readonly moving: boolean;
  readonly stopLatched: boolean;
  readonly unexpectedMotion: boolean;
  /** Type of the driving command on the wire; null when there is none. */
  readonly driving: CommandType | null;
}

/**
 * PLCopen Motion Control Part 1 v2.0, state diagram. `offline` stands before it: without an answer nothing is known.
 *
 * Two readings of ours: `stopping` is left when the axis stands (the latch stays as a flag of its own), and it also
 * shows an axis that still runs down after its command has ended. Motion that is nobody's wish has no known end.
 */
export function plcopenState(facts: StateFacts): AxisState {
  if (!facts.online) return "offline";
  if (facts.faulted) return "error-stop";
  if (facts.stopLatched && facts.moving) return "stopping";
  if (!facts.enabled) return "disabled";
  if (facts.driving === "Home") return "homing";
  if (facts.driving === "MoveVelocity") return "continuous-motion";
  if (facts.driving !== null) return "discrete-motion";
  if (facts.moving) return facts.unexpectedMotion ? "continuous-motion" : "stopping";
  return "standstill";
}

/** The driving command that governs the axis: the newest one on the wire. */
export function drivingCommand(axis: Axis): OpenCommand | undefined {
  let newest: OpenCommand | undefined;
  for (const command of axis.open.values()) {
    if (isDriving(command.type) && isDispatched(command)) newest = command;
  }
  return newest;
}

/** What `currentCommand` shows: the driving command, else the oldest other one on the wire. */
export const governingCommand = (axis: Axis): OpenCommand | undefined =>
  drivingCommand(axis) ?? axis.open.values().find(isDispatched);

export const stateFacts = (axis: Axis): StateFacts => ({
  online: axis.offlineReason === null,
  faulted: axis.fault !== null,
  enabled: axis.enabled,
  moving: axis.moving,
  stopLatched: axis.stopLatched,
  unexpectedMotion: axis.unexpectedMotion,
  driving: drivingCommand(axis)?.type ?? null,
});
