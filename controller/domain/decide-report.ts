import type { Report } from "@servofleet/contracts";
import type { AxisEvent } from "./axis-event.ts";
import type { Axis } from "./axis-state.ts";

/** Call for the axis of the report; `bridge-ready` for every axis. `settled` belongs to `decideRecovery`. */
export declare function decideReport(report: Report, axis: Axis): readonly AxisEvent[];
