import type { AxisState, Fault, Quality } from "./axis.ts";
import type { CommandState, CommandType } from "./command.ts";
import type { Frame } from "./frame.ts";
import type { ProblemDocument } from "./problem.ts";

/** A target with its own age (rule 7: intent, sent, acknowledged and measured are four things). Display units. */
export interface AgedTarget {
  readonly position: number;
  readonly at: string;
  readonly ageMs: number;
}

/** `GET /v1/axes/{axis}`. Unknown values are null, never absent. */
export interface AxisView {
  readonly id: string;
  readonly link: string;
  readonly unit: number;
  readonly profile: string;
  readonly unitName: string;
  readonly state: AxisState;
  readonly stopLatched: boolean;
  readonly homed: boolean;
  readonly reconcileRequired: boolean;
  readonly measured: {
    readonly position: number | null;
    readonly velocity: number | null;
    readonly torque: number | null;
    readonly temperature: number | null;
    readonly at: string | null;
    readonly ageMs: number | null;
    readonly quality: Quality;
  };
  readonly commanded: AgedTarget | null;
  readonly sent: AgedTarget | null;
  readonly acknowledged: AgedTarget | null;
  readonly fault: (Fault & { readonly since: string }) | null;
  readonly currentCommand: string | null;
  readonly version: number;
  readonly asOf: string;
  readonly ageMs: number;
  readonly quality: Quality;
}

/** `GET /v1/commands/{id}`. */
export interface CommandView {
  readonly commandId: string;
  readonly axis: string;
  readonly type: CommandType;
  readonly request: Record<string, unknown>;
  readonly state: CommandState;
  readonly outcomeUnknown: boolean;
  readonly settled: string | null;
  readonly principal: string;
  readonly target: number | null;
  readonly finalError: number | null;
  readonly problem: ProblemDocument | null;
  /** Why it ended without success or failure: what expired, who cancelled, superseded or stopped it, what nobody could find out. */
  readonly reason: string | null;
  readonly transitions: readonly {
    readonly state: CommandState;
    readonly at: string;
    readonly logPosition: string;
    readonly eventId: string;
  }[];
  readonly frames: readonly Frame[];
}

/** `GET /v1/links/{id}`. */
export interface LinkView {
  readonly id: string;
  readonly kind: string;
  readonly state: "up" | "down";
  readonly since: string;
  readonly load: number | null;
  readonly budget: { readonly plannedLoad: number | null; readonly stopBoundMs: number | null };
  readonly transactionsPerS: number | null;
  /** How many times further apart than configured polls are now, at rest and in motion; null without fresh figures. */
  readonly pollStretch: { readonly idle: number; readonly moving: number } | null;
  /** The last start of several axes by one frame or at one moment; null before the first. */
  readonly groupStart: {
    readonly axes: readonly string[];
    readonly sentSkewMs: number;
    readonly seenSkewMs: number | null;
  } | null;
  readonly errors: {
    readonly timeout: number;
    readonly crc: number;
    readonly exception: number;
    readonly mismatch: number;
    readonly late: number;
  };
  readonly units: readonly {
    readonly unit: number;
    readonly axis: string | null;
    readonly breaker: "closed" | "open" | "half-open";
    readonly lastReplyAt: string | null;
  }[];
}

/** One of `GET /v1/alarms`. */
export interface AlarmView {
  readonly id: string;
  readonly kind:
    | "link-down"
    | "drive-fault"
    | "limit-reached"
    | "axis-offline"
    | "lease-lapsed"
    | "read-model-halted"
    | "unexpected-motion";
  readonly source: string;
  readonly state: "active" | "acknowledged" | "shelved" | "cleared";
  readonly message: string;
  readonly remedy: string;
  readonly since: string;
  readonly clearedAt: string | null;
  readonly acknowledgedBy: string | null;
}

/** Every list. */
export interface Page<T> {
  readonly items: readonly T[];
  readonly nextCursor: string | null;
}

/** Answer of a write: `202`, only after the command is on disk. */
export interface AcceptedView {
  readonly commandId: string;
  readonly axis: string;
  readonly state: "accepted";
  readonly logPosition: string;
}

/** Answer of every stop call. */
export interface StopView {
  readonly items: readonly {
    readonly axis: string;
    readonly result: "sent" | "acknowledged" | "pending" | "failed";
    readonly recorded: boolean;
    readonly problem: ProblemDocument | null;
  }[];
}
