import type { CommandType } from "@servofleet/contracts";
import type { Amount } from "./amount.ts";

/** Which axis of a scenario a step speaks of: `a` is the axis under test, `b` a neighbour. */
export type Role = "a" | "b";

/** What an axis of a rig must be able to do before a scenario runs on it; see `abilities.ts`. */
export const NEEDS = [
  "homing",
  "homing-run",
  "serial",
  "tcp",
  "simulated",
  "velocity",
  "no-velocity",
  "comm-watchdog",
  "no-comm-watchdog",
  "own-box",
  "own-stop",
  "halt-holds",
  "halt-releases",
  "group",
] as const;
export type Need = (typeof NEEDS)[number];

/** Words of one look at an axis, its drive, its link or a command; several are joined by `|`. */
export interface Condition {
  readonly axis: Role;
  readonly state?: string;
  readonly stopLatched?: boolean;
  readonly homed?: boolean;
  readonly reconcileRequired?: boolean;
  readonly fault?: boolean;
  readonly quality?: string;
  /** Measured position within `by` of it. */
  readonly near?: Amount;
  /** A mark: displayed position within `by` of the one it remembers, shifted by `plus`. */
  readonly nearMark?: string;
  readonly plus?: Amount;
  readonly by?: Amount;
  readonly moving?: boolean;
  readonly link?: "up" | "down";
  /** The drive's own word, through the simulator. */
  readonly driveMoving?: boolean;
  readonly driveEnabled?: boolean;
  readonly driveAlarm?: boolean;
  /** Name that an earlier step gave a command. */
  readonly command?: string;
  readonly commandState?: string;
  readonly problem?: string;
  readonly settled?: boolean;
}

export interface CommandStep {
  readonly do: "command";
  readonly axis: Role;
  readonly type: CommandType;
  readonly position?: Amount;
  readonly distance?: Amount;
  readonly velocity?: Amount;
  readonly acceleration?: Amount;
  readonly deceleration?: Amount;
  readonly parameter?: string;
  readonly value?: number;
  readonly ttlMs?: number;
  readonly as?: string;
  /** The answer must be a problem with one of these slugs. */
  readonly refused?: string;
  readonly key?: string;
  readonly replayed?: boolean;
  readonly version?: "current" | "stale";
}
export interface StopStep {
  readonly do: "stop";
  readonly axis: Role;
  readonly what: "axis" | "group" | "link" | "all";
  readonly result: string;
}
export interface FaultStep {
  readonly do: "fault";
  readonly axis: Role;
  readonly at: "drive" | "link";
  readonly kind: string;
  readonly [field: string]: unknown;
}
export interface RecordStep {
  readonly do: "record";
  readonly axis: Role;
  readonly since: string;
  /** Only entries after the first of this kind. */
  readonly after?: string;
  /** A kind of `drive-record.ts`, or `motion` for everything that starts one. */
  readonly kind: string;
  readonly obeyed?: boolean;
  readonly times?: number;
  readonly atLeast?: number;
  readonly atMost?: number;
  readonly first?: boolean;
}

/** One step of a scenario file. */
export type Step =
  | CommandStep
  | StopStep
  | { readonly do: "cancel"; readonly command: string; readonly refused?: string }
  | { readonly do: "reconcile"; readonly axis: Role; readonly decision: "adopt" | "abandon"; readonly refused?: string }
  | { readonly do: "ready"; readonly axis: Role }
  | FaultStep
  | {
      readonly do: "process";
      readonly service: "controller" | "bridge" | "gateway" | "dashboard";
      readonly signal: string;
    }
  | { readonly do: "mark"; readonly name: string }
  | RecordStep
  | ({ readonly do: "until"; readonly withinMs: number } & Condition)
  | ({ readonly do: "expect" } & Condition)
  | ({ readonly do: "stays"; readonly forMs: number } & Condition)
  | { readonly do: "unmoved"; readonly axis: Role; readonly since: string; readonly by: Amount };

/** One scenario file, checked and completed. */
export interface Scenario {
  readonly name: string;
  readonly title: string;
  readonly why: string;
  readonly needs: readonly Need[];
  readonly profiles: readonly string[];
  /** Whether a neighbour is needed, and where. */
  readonly neighbour: "none" | "any" | "same-link" | "other-link";
  /** What is done with the axes before the first step. */
  readonly start: "ready" | "enabled" | "disabled" | "as-is";
  readonly steps: readonly Step[];
}

/** The roles that a scenario uses. */
export const rolesOf = ({ neighbour }: Scenario): readonly Role[] => (neighbour === "none" ? ["a"] : ["a", "b"]);

/**
 * True when nothing else may run beside it: it stops more than its own link, or upsets the box itself. What it does to its
 * link hurts nobody else; scenarios of one link never run side by side.
 */
export const isExclusive = ({ steps }: Scenario): boolean =>
  steps.some((step) => step.do === "process" || (step.do === "stop" && (step.what === "group" || step.what === "all")));
