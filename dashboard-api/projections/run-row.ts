import type { CompensationKind, ProblemFacts, RunState, RunStepView } from "@servofleet/contracts";

/** One step of a run as the log tells it. Times in wall microseconds. */
export interface RunStepRow {
  readonly step: string;
  readonly kind: RunStepView["kind"];
  readonly state: RunStepView["state"];
  readonly axis: string | null;
  readonly commandId: string | null;
  readonly startedUs: number;
  readonly endedUs: number | null;
  readonly problem: ProblemFacts | null;
  readonly undo: {
    readonly kind: CompensationKind;
    readonly state: RunStepView["compensation"]["state"];
    readonly commandId: string | null;
    readonly detail: string | null;
  };
}

/** One run of a program as the log tells it. */
export interface RunRow {
  readonly runId: string;
  readonly program: string;
  readonly version: number;
  readonly state: RunState;
  readonly axes: readonly string[];
  readonly principal: string;
  readonly trigger: { readonly name: string; readonly eventId: string } | null;
  readonly startedUs: number;
  readonly endedUs: number | null;
  readonly reason: string | null;
  readonly problem: ProblemFacts | null;
  /** In the order in which they began. */
  readonly steps: readonly RunStepRow[];
  readonly transitions: readonly { readonly state: RunState; readonly us: number; readonly position: number }[];
  readonly firstPosition: number;
}
