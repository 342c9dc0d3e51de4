import type { AxisEvent } from "./axis-event.ts";
import type { Axis } from "./axis-state.ts";

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
/** The generation a stop raised now carries on the wire. */
export declare function nextStopGeneration(axis: Axis): number;
/** Never refused. Every stop is recorded, also a repeated one. */
export declare function raiseStop(axis: Axis, stop: RaisedStop): readonly AxisEvent[];
