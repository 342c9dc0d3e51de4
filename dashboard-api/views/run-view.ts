import { logPosition, type ProblemFacts, problemDocument, type RunView, rfc3339 } from "@servofleet/contracts";
import type { RunRow, RunStepRow } from "../projections/run-row.ts";

const timeOf = (us: number | null): string | null => (us === null ? null : rfc3339(us));

function stepView({ undo, startedUs, endedUs, problem, ...step }: RunStepRow, path: string): RunView["steps"][number] {
  return {
    ...step,
    startedAt: rfc3339(startedUs),
    endedAt: timeOf(endedUs),
    problem: problem && problemDocument(problem, path),
    compensation: undo,
  };
}

/** `GET /v1/runs/{id}`. */
export function runView(row: RunRow, logId: string): RunView {
  const { runId, startedUs, endedUs, problem, firstPosition: _, steps, transitions, ...rest } = row;
  const path = `/v1/runs/${runId}`;
  const document = (facts: ProblemFacts | null) => facts && problemDocument(facts, path);
  return {
    runId,
    ...rest,
    startedAt: rfc3339(startedUs),
    endedAt: timeOf(endedUs),
    problem: document(problem),
    steps: steps.map((step) => stepView(step, path)),
    transitions: transitions.map(({ state, us, position }) => ({
      state,
      at: rfc3339(us),
      logPosition: logPosition(logId, position),
    })),
  };
}
