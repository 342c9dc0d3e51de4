import type { AxisId, Order, Report, StopOrder } from "@servofleet/contracts";
import { axisProblem } from "../axis/axis-problem.ts";

const problemOf = (axis: AxisId, remedy: string) => axisProblem("not-found", `this bridge has no axis ${axis}`, remedy);

/** A stop for an axis that another bridge has: it must not look as if it had been obeyed. */
export function unknownAxisStop({ stopId, axis, stopGeneration, reason }: StopOrder, atUs: number): Report {
  const problem = problemOf(axis, "stop it where it is connected");
  return { type: "stop-result", stopId, axis, stopGeneration, result: "failed", reason, problem, atUs, frames: [] };
}

/** An order for an axis that another bridge has. */
export function unknownAxisOrder({ orderId, commandId, axis }: Order): Report {
  const problem = problemOf(axis, "nothing was sent; check the configuration");
  return { type: "order-refused", orderId, commandId, axis, reason: "unsupported", problem };
}
