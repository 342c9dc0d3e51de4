import type { ProblemDocument } from "./problem.ts";
import type { CompensationKind, Program, RunState } from "./program.ts";

/** `GET /v1/programs`. */
export interface ProgramView {
  readonly name: string;
  readonly version: number;
  readonly definedAt: string;
  /** Whether its triggers start it. */
  readonly armed: boolean;
  readonly axes: readonly string[];
  readonly program: Program;
}

/** Answer of `POST /v1/programs/{name}/runs`: 202, only after the run and its first commands are on disk. */
export interface StartedRunView {
  readonly runId: string;
  readonly program: string;
  readonly state: "running";
  readonly logPosition: string;
}

/** Answer of `POST /v1/runs/{id}/pause`, `resume`, `abort`: how it stands with that on disk. */
export interface RunWordView {
  readonly runId: string;
  readonly state: RunState;
}

/** One step of a dry run. */
export interface DryRunStep {
  readonly step: string;
  readonly kind: "command" | "dwell" | "wait" | "barrier";
  readonly axis: string | null;
  readonly command: string | null;
  readonly compensation: CompensationKind;
  /** From rest to rest with the numbers of the step; null where only the drive or the world knows. */
  readonly estimateMs: number | null;
  readonly deadlineMs: number;
  readonly problem: ProblemDocument | null;
}

/** `POST /v1/programs/{name}/dry-run`: what would keep a run back, without touching a bus. */
export interface DryRunView {
  readonly program: string;
  readonly version: number;
  readonly ok: boolean;
  /** Axes that could not take part now. */
  readonly axes: readonly { readonly axis: string; readonly problem: ProblemDocument }[];
  readonly steps: readonly DryRunStep[];
  readonly estimateMs: number;
  readonly links: readonly { readonly link: string; readonly axesAtOnce: number; readonly pollsPerS: number }[];
}

/** One step of a run, with its command and what undid it. */
export interface RunStepView {
  readonly step: string;
  readonly kind: "command" | "dwell" | "wait" | "barrier";
  readonly state: "running" | "succeeded" | "failed" | "unknown" | "halted";
  readonly axis: string | null;
  readonly commandId: string | null;
  readonly startedAt: string;
  readonly endedAt: string | null;
  readonly problem: ProblemDocument | null;
  readonly compensation: {
    readonly kind: CompensationKind;
    /** `planned` until the run leaves its way. */
    readonly state: "planned" | "offered" | "running" | "done" | "failed" | "declined" | "skipped" | "manual";
    readonly commandId: string | null;
    readonly detail: string | null;
  };
}

/** `GET /v1/runs/{id}`. */
export interface RunView {
  readonly runId: string;
  readonly program: string;
  readonly version: number;
  readonly state: RunState;
  readonly axes: readonly string[];
  readonly principal: string;
  readonly trigger: { readonly name: string; readonly eventId: string } | null;
  readonly startedAt: string;
  readonly endedAt: string | null;
  readonly reason: string | null;
  readonly problem: ProblemDocument | null;
  readonly steps: readonly RunStepView[];
  readonly transitions: readonly { readonly state: RunState; readonly at: string; readonly logPosition: string }[];
}
