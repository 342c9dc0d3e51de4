import type { CommandId, DomainEvent, ProblemFacts, RunEventType, RunState } from "@servofleet/contracts";
import { uuidV5 } from "@servofleet/runtime/random-id";
import type { Plan } from "./program-plan.ts";

/** An event of a run's stream. */
export type RunEvent = Extract<DomainEvent, { type: RunEventType }>;

/** A command of a run and whose axis it is. */
export interface RunCommand {
  readonly axis: string;
  readonly commandId: string;
}

/** A step that has begun, or a halt of the group (`halt:<axis>`). */
export interface StepRecord {
  readonly status: "running" | "succeeded" | "failed" | "unknown" | "halted";
  readonly attempt: number;
  readonly command: RunCommand | null;
  readonly problem: ProblemFacts | null;
}

/** A running program: the fold of its stream. Immutable. */
export interface Run {
  readonly runId: string;
  readonly plan: Plan;
  readonly version: number;
  readonly axes: readonly string[];
  readonly principal: string;
  readonly leaseId: string;
  readonly state: RunState;
  /** In the order in which they began. */
  readonly steps: ReadonlyMap<string, StepRecord>;
  readonly halts: ReadonlyMap<string, StepRecord>;
  /** Tokens alive, with the wall time they are due, for the start after a crash. */
  readonly timers: ReadonlyMap<string, { readonly afterMs: number; readonly dueAt: string }>;
  /** Axes that a stop has touched, or was asked for. */
  readonly stopped: ReadonlySet<string>;
  /** Something outside the run has taken it out of its hands: it can only end held. */
  readonly touched: boolean;
  readonly aborted: boolean;
  /** Why it left its way; null while it is on it. */
  readonly cause: ProblemFacts | null;
  /** Steps to compensate, the next one first. */
  readonly queue: readonly string[];
  readonly undoing: { readonly step: string; readonly offered: boolean; readonly command: RunCommand | null } | null;
  readonly compensated: number;
  /** Something is left for a person. */
  readonly left: boolean;
}

/** Of run, step and attempt alone: asked again after a crash it is the same command, which the log has once. */
export const commandIdOf = (runId: string, what: string, attempt: number): CommandId =>
  uuidV5(runId, `${what}:${attempt}`) as CommandId;

/** The states that are an end. */
export const OUTCOMES: ReadonlySet<RunState> = new Set(["completed", "compensated", "failed", "aborted", "held"]);
/** Whether nothing will ever follow. */
export const isEnded = (run: Run): boolean => OUTCOMES.has(run.state);
