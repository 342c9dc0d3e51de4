import type { CommandView, RunStepView, RunView } from "@servofleet/contracts";
import { abnormal, figure, table } from "./output.ts";
import { took, tookMs } from "./run-lines.ts";

/** One step of one run, as it is compared. */
export interface StepSide {
  readonly state: RunStepView["state"];
  readonly tookMs: number | null;
  readonly finalError: number | null;
}

/** One step of two runs; a side is null where that run never came to it. */
export interface StepDiff {
  readonly step: string;
  readonly a: StepSide | null;
  readonly b: StepSide | null;
  /** By how much the second took longer, ms. */
  readonly longerMs: number | null;
  readonly same: boolean;
}

/** What the commands of a run came to, by id. */
export type CommandEnds = ReadonlyMap<string, Pick<CommandView, "finalError">>;

/** Two runs of one program side by side, in the order in which the first went. Pure. */
export function runDiff(a: RunView, b: RunView, ends: CommandEnds): readonly StepDiff[] {
  const side = (run: RunView, name: string): StepSide | null => {
    const step = run.steps.find((one) => one.step === name);
    if (!step) return null;
    const finalError = step.commandId === null ? null : (ends.get(step.commandId)?.finalError ?? null);
    return { state: step.state, tookMs: tookMs(step), finalError };
  };
  const names = [...new Set([...a.steps, ...b.steps].map(({ step }) => step))];
  return names.map((step) => {
    const [left, right] = [side(a, step), side(b, step)];
    const both = left?.tookMs != null && right?.tookMs != null;
    const longerMs = both ? (right?.tookMs ?? 0) - (left?.tookMs ?? 0) : null;
    return { step, a: left, b: right, longerMs, same: left?.state === right?.state };
  });
}

/** The same as a table for a person. */
export function diffTable(a: RunView, b: RunView, steps: readonly StepDiff[]): string {
  const cells = (side: StepSide | null, same: boolean): string[] =>
    side === null
      ? [abnormal("not reached"), "-", "-"]
      : [same ? side.state : abnormal(side.state), took(side.tookMs), figure(side.finalError)];
  const versions = a.version === b.version ? `v${a.version}` : `v${a.version} and v${b.version}`;
  return [
    `${a.program} ${versions}`,
    `A  ${a.runId}  ${a.state}  ${a.startedAt}  ${took(tookMs(a))}`,
    `B  ${b.runId}  ${b.state}  ${b.startedAt}  ${took(tookMs(b))}`,
    table(
      ["step", "A", "took", "error", "B", "took", "error", "B longer by"],
      steps.map((step) => [
        step.step,
        ...cells(step.a, step.same),
        ...cells(step.b, step.same),
        step.longerMs === null ? "-" : `${step.longerMs.toFixed(0)} ms`,
      ]),
    ),
  ].join("\n");
}
