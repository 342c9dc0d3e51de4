import { type AxisEvent, ofCommand } from "./axis-event.ts";
import { type Axis, isDispatched, isDriving } from "./axis-state.ts";
import { cut } from "./refusal.ts";
import { withStateChange } from "./state-change.ts";

export interface RaisedStop {
  readonly stopId: string;
  /** axis, group:<id>, link:<id>, all. */
  readonly scope: string;
  readonly reason: string;
  readonly principal: string;
  /** RFC 3339. */
  readonly at: string;
  /** As sent on the wire; default: `nextStopGeneration(axis)`. */
  readonly stopGeneration?: number;
}

/** The generation a stop raised now carries on the wire: every order decided before is older. */
export const nextStopGeneration = (axis: Axis): number => axis.stopGeneration + 1;

/**
 * Latches the axis. Never refused; every stop is recorded, also a repeated one. What drives the axis ends here and
 * whatever was not sent ends with nothing sent. Other orders on the wire (Enable, Disable, Reset, WriteParameter) move
 * nothing and end by their own reports.
 */
export function raiseStop(axis: Axis, stop: RaisedStop): readonly AxisEvent[] {
  return withStateChange(axis, stopEvents(axis, stop));
}

/** The same without the shown state, for batches that go on. */
export function stopEvents(axis: Axis, stop: RaisedStop): AxisEvent[] {
  const { stopId, scope, reason, principal, at, stopGeneration = nextStopGeneration(axis) } = stop;
  const ended = [...axis.open.values()].filter((command) => isDriving(command.type) || !isDispatched(command));
  return [
    { event: { type: "StopLatched", data: { stopId, stopGeneration, scope, reason, principal, at } } },
    ...ended.map((command) =>
      ofCommand(
        command.commandId,
        { type: "CommandStopped", data: { by: cut(`Stop (${reason})`), finalPosition: null, frames: [] } },
        stopId,
      ),
    ),
  ];
}
