import type { CommandId, Refusal } from "@servofleet/contracts";
import type { AxisEvent } from "./axis-event.ts";
import type { Axis } from "./axis-state.ts";

/** Its time to start is over: no events unless it is only accepted. */
export declare function expire(axis: Axis, commandId: CommandId): readonly AxisEvent[];
/** Cancels what has not been sent; `already-dispatched` for anything else that is known. */
export declare function cancel(axis: Axis, commandId: CommandId, principal: string): readonly AxisEvent[] | Refusal;
