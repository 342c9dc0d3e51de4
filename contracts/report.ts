import type { Fault } from "./axis.ts";
import type { CommandType } from "./command.ts";
import type { Frame } from "./frame.ts";
import type { AxisId, CommandId, LinkId } from "./ids.ts";
import type { StopReason } from "./order.ts";
import type { ProblemFacts } from "./problem.ts";

/** What the bridge knows of an axis from its last successful reads. Positions in counts (machine frame), velocities counts/s. */
export interface AxisStatus {
  readonly axis: AxisId;
  readonly online: boolean;
  /** In words for a person; null while online. */
  readonly offlineReason: string | null;
  /** Successful status reads since the bridge started; recovery waits for 2. */
  readonly reads: number;
  readonly enabled: boolean;
  readonly moving: boolean;
  readonly homed: boolean;
  readonly fault: Fault | null;
  readonly positionCounts: number | null;
  readonly velocityCountsPerS: number | null;
  /** Stop generation as the bridge has it. */
  readonly stopGeneration: number;
  /** A stop that has not been acknowledged yet (it will be the first frame once the unit answers). */
  readonly stopPending: boolean;
  readonly atUs: number;
}

/** What a profile can do, so that the controller never reads profiles. */
export interface AxisAbilities {
  readonly axis: AxisId;
  readonly profile: string;
  readonly commands: readonly CommandType[];
  readonly parameters: readonly string[];
  /** Communication-loss watchdog of the drive; `reaction` in words. */
  readonly commLoss: { readonly supported: boolean; readonly reaction: string };
  /** A move ends `succeeded` within this window, counts. */
  readonly positionWindowCounts: number;
}

/** One motion in a few figures. */
export interface MotionSummary {
  readonly durationMs: number;
  readonly peakVelocityCountsPerS: number;
  readonly peakFollowingErrorCounts: number | null;
  readonly samples: number;
}

/** Why an order was refused before its first byte: nothing was sent. */
export type OrderRefusal =
  | "expired"
  | "stale-generation"
  | "stale-epoch"
  | "stale-lease"
  | "axis-offline"
  | "link-down"
  | "not-ready"
  | "unsupported"
  | "superseded"
  | "cancelled"
  | "queue-full";

/** Facts the bridge saw. They enter the controller by the same inbox as commands. */
export type Report =
  | { readonly type: "bridge-ready"; readonly bridgeBoot: string; readonly axes: readonly AxisAbilities[] }
  | {
      readonly type: "order-refused";
      readonly orderId: string;
      readonly commandId: CommandId;
      readonly axis: AxisId;
      readonly reason: OrderRefusal;
      readonly problem: ProblemFacts;
    }
  /** The first motion-relevant byte is in the kernel. */
  | {
      readonly type: "order-sent";
      readonly orderId: string;
      readonly commandId: CommandId;
      readonly axis: AxisId;
      readonly atUs: number;
      readonly frames: readonly Frame[];
    }
  /** The drive confirmed the write; `settledByReading` when that was found out by reading after a time-out. */
  | {
      readonly type: "order-acknowledged";
      readonly orderId: string;
      readonly commandId: CommandId;
      readonly axis: AxisId;
      readonly atUs: number;
      readonly targetCounts: number | null;
      readonly settledByReading: boolean;
      readonly frames: readonly Frame[];
    }
  /** A write timed out: it may or may not have been applied. The bridge goes on reading for up to 3 s and then says `order-unsettled`. */
  | {
      readonly type: "order-unknown";
      readonly orderId: string;
      readonly commandId: CommandId;
      readonly axis: AxisId;
      readonly atUs: number;
      readonly problem: ProblemFacts;
      readonly frames: readonly Frame[];
    }
  | {
      readonly type: "order-unsettled";
      readonly commandId: CommandId;
      readonly axis: AxisId;
      readonly atUs: number;
      readonly problem: ProblemFacts;
      readonly frames: readonly Frame[];
    }
  /** The status shows motion of this order. */
  | {
      readonly type: "motion-started";
      readonly commandId: CommandId;
      readonly axis: AxisId;
      readonly atUs: number;
      readonly positionCounts: number;
      readonly frames: readonly Frame[];
    }
  /** Done and measured: in position, homed, enabled, disabled, fault cleared, halted, parameter read back. */
  | {
      readonly type: "order-done";
      readonly commandId: CommandId;
      readonly axis: AxisId;
      readonly atUs: number;
      readonly positionCounts: number | null;
      readonly summary: MotionSummary | null;
      readonly frames: readonly Frame[];
    }
  /** The drive refused or a fault ended it. For a refused write nothing runs; the axis's own stop ramp may still run after a fault. */
  | {
      readonly type: "order-failed";
      readonly commandId: CommandId;
      readonly axis: AxisId;
      readonly atUs: number;
      readonly problem: ProblemFacts;
      readonly positionCounts: number | null;
      readonly frames: readonly Frame[];
    }
  /** Aborted while under way. */
  | {
      readonly type: "order-aborted";
      readonly commandId: CommandId;
      readonly axis: AxisId;
      readonly atUs: number;
      readonly by: "motion" | "halt" | "stop" | "limit" | "policy" | "disable";
      readonly detail: string;
      readonly positionCounts: number | null;
      readonly frames: readonly Frame[];
    }
  /** Answer to `settle`: what reading shows. */
  | {
      readonly type: "settled";
      readonly commandId: CommandId;
      readonly axis: AxisId;
      readonly atUs: number;
      readonly finding: "in-position" | "standing-elsewhere" | "moving" | "fault" | "silent";
      readonly status: AxisStatus;
      readonly frames: readonly Frame[];
    }
  | {
      readonly type: "stop-result";
      readonly stopId: string;
      readonly axis: AxisId;
      readonly stopGeneration: number;
      readonly result: StopResult;
      readonly reason: StopReason;
      readonly problem: ProblemFacts | null;
      readonly atUs: number;
      readonly frames: readonly Frame[];
    }
  /** On every change of a flag or fault, at standstill and after `describe`; never as a stream of positions. */
  | { readonly type: "axis-status"; readonly status: AxisStatus }
  | {
      readonly type: "link-status";
      readonly link: LinkId;
      readonly up: boolean;
      readonly reason: string | null;
      readonly atUs: number;
    };

/** What became of a stop: in the kernel, confirmed by the drive, latched for a silent unit, or impossible. */
export type StopResult = "sent" | "acknowledged" | "pending" | "failed";
/** The names of the reports. */
export type ReportType = Report["type"];

/** Reports are numbered per bridge boot; the controller's beats say which it has, the bridge repeats what is missing. */
export interface ReportMessage {
  readonly bridgeBoot: string;
  /** 1, 2, 3 ... without gap inside one boot. */
  readonly seq: number;
  readonly report: Report;
}
