import type { Refusal } from "@servofleet/contracts";
import type { AxisEvent } from "./axis-event.ts";
import type { Axis } from "./axis-state.ts";

/** A person takes the axis as it is. Refused when there is nothing to reconcile. */
export declare function reconcile(
  axis: Axis,
  decision: "adopt" | "abandon",
  principal: string,
): readonly AxisEvent[] | Refusal;
