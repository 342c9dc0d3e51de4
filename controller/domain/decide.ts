import type { AxisStatus, Command, Refusal } from "@servofleet/contracts";
import type { AxisEvent } from "./axis-event.ts";
import type { Axis } from "./axis-state.ts";

/** `status`: the bridge's newest reading; null when there is none (or the bridge is lost). */
export declare function decide(command: Command, axis: Axis, status: AxisStatus | null): readonly AxisEvent[] | Refusal;
/** True for a decided "no". */
export declare function isRefusal(value: object): value is Refusal;
/** The event that records a refusal (409, 412, 422, 423) under the command's id. */
export declare function rejected(command: Command, refusal: Refusal): AxisEvent;
