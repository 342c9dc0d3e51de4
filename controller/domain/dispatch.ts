import type { CommandId, OrderAction, ProblemFacts, Refusal } from "@servofleet/contracts";
import type { AxisEvent } from "./axis-event.ts";
import type { Axis } from "./axis-state.ts";

/** What to send, or why not any more (then `failDispatch`). The command must be open and only accepted. */
export declare function orderAction(axis: Axis, commandId: CommandId): OrderAction | Refusal;
/** Write-ahead: append and fsync these before the order goes to the bridge. */
export declare function dispatchEvents(axis: Axis, commandId: CommandId, orderId: string): readonly AxisEvent[];
/** Ends a command that may not be sent any more; nothing was sent. No events when it has ended already. */
export declare function failDispatch(axis: Axis, commandId: CommandId, problem: ProblemFacts): readonly AxisEvent[];
