import type { RunStepView, RunView } from "@servofleet/contracts";
import { abnormal, table } from "./output.ts";

const FINE: ReadonlySet<string> = new Set(["running", "paused", "completed", "succeeded"]);
const shown = (state: string): string => (FINE.has(state) ? state : abnormal(state));

/** How long it took, ms; null while it goes on. */
export const tookMs = ({ startedAt, endedAt }: Pick<RunStepView, "startedAt" | "endedAt">): number | null =>
  endedAt === null ? null : Date.parse(endedAt) - Date.parse(startedAt);

/** A time a person reads at a glance. */
export const took = (ms: number | null): string => (ms === null ? "-" : `${(ms / 1000).toFixed(2)} s`);

function undone({ compensation: { kind, state } }: RunStepView): string {
  return kind === "none" || state === "planned" ? kind : `${kind}: ${state}`;
}

/** Runs, one a line. */
export const runTable = (runs: readonly RunView[]): string =>
  table(
    ["run", "program", "state", "started", "took", "steps"],
    runs.map((run) => [
      run.runId,
      `${run.program} v${run.version}`,
      shown(run.state),
      run.startedAt,
      took(tookMs(run)),
      String(run.steps.length),
    ]),
  );

/** One run with its steps. */
export function runStory(run: RunView): string {
  const { runId, program, version, state, principal, trigger, reason, problem } = run;
  return [
    `${program} v${version}  ${runId}: ${shown(state)}${reason === null ? "" : ` (${reason})`}`,
    `started by ${principal}${trigger ? `, trigger ${trigger.name}` : ""} at ${run.startedAt}`,
    ...(problem ? [`left its way: ${problem.detail}; ${problem.remedy}`] : []),
    table(
      ["step", "kind", "axis", "state", "took", "undo", "command"],
      run.steps.map((step) => [
        step.step,
        step.kind,
        step.axis ?? "-",
        shown(step.state),
        took(tookMs(step)),
        undone(step),
        step.commandId ?? "-",
      ]),
    ),
    ...(state === "offering" ? [`waits for a person: servofleet resume ${runId} moves it back, abort leaves it`] : []),
    ...(state === "paused" ? [`waits for a person: servofleet resume ${runId}`] : []),
  ].join("\n");
}
