import type { AxisStatus, Report, SettleRequest } from "@servofleet/contracts";
import type { AxisEvent } from "./axis-event.ts";
import type { Axis } from "./axis-state.ts";

export type Settled = Extract<Report, { type: "settled" }>;

export interface StartRecovery {
  readonly events: readonly AxisEvent[];
  /** Commands to settle by reading once the axis was read twice. */
  readonly settle: readonly Pick<SettleRequest, "commandId" | "targetCounts">[];
}
/** Once per boot, after the fold and before anything else. */
export declare function recoverAtStart(axis: Axis): StartRecovery;

export interface RecoveryDecision {
  readonly events: readonly AxisEvent[];
  /** Send a stop (reason `restart-recovery` or `unexpected-motion`) and record it by `raiseStop`. */
  readonly stop: boolean;
  /** Ask `settle` again when the axis next stands: policy `observe`. */
  readonly watch: boolean;
  /** For `RecoveryCompleted`, in words. */
  readonly finding: string;
  readonly action: string;
}
/** The recovery table: one open command by what reading shows, or an axis with nothing pending by its status. */
export declare function decideRecovery(axis: Axis, found: Settled | AxisStatus): RecoveryDecision;
