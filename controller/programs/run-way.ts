import type { ProblemFacts } from "@servofleet/contracts";
import type { Leaf } from "./program-plan.ts";
import { leave, runningSteps, stepEnded } from "./run-halting.ts";
import { commandIdOf, type Run, type RunEvent } from "./run-state.ts";
import { timerSet } from "./run-timer.ts";

/** What follows on the good way: a failure leaves it, a barrier opens, the next steps begin, the last one ends the run. */
export function onTheWay(run: Run, nowUs: number): RunEvent[] {
  const bad = [...run.steps].find(([, { status }]) => status !== "running" && status !== "succeeded");
  if (bad) return leave(run, failureOf(bad[0], bad[1].problem), nowUs);
  const met = openBarriers(run);
  if (met.length > 0) return met;
  // Paused: what runs runs to its end, and nothing begins.
  if (run.state === "paused") return [];
  const stage = run.plan.stages.find((branches) => branches.flat().some(({ step }) => !succeeded(run, step)));
  if (!stage) {
    return [{ type: "RunEnded", data: { outcome: "completed", reason: "every step succeeded", problem: null } }];
  }
  return stage.flatMap((branch) => {
    const next = branch.find(({ step }) => !succeeded(run, step));
    return next && !run.steps.has(next.step) ? begin(run, next, nowUs) : [];
  });
}

const succeeded = (run: Run, step: string): boolean => run.steps.get(step)?.status === "succeeded";

const failureOf = (step: string, problem: ProblemFacts | null): ProblemFacts => ({
  slug: problem?.slug ?? "run-not-ready",
  detail: `step ${step}: ${problem?.detail ?? "it did not end as it should"}`.slice(0, 500),
  remedy: problem?.remedy ?? "look at its command",
});

/** One atomic batch carries this and the command itself: there is no moment between them. */
function begin(run: Run, { step, spec, compensation }: Leaf, nowUs: number): RunEvent[] {
  const attempt = 1;
  const command =
    spec.kind === "command" ? { axis: spec.axis, commandId: commandIdOf(run.runId, step, attempt) } : null;
  return [
    {
      type: "RunStepStarted",
      data: { step, attempt, kind: spec.kind, command, compensation: compensation.kind },
    },
    timerSet(`step:${step}`, spec.kind === "dwell" ? spec.ms : spec.deadlineMs, nowUs),
  ];
}

/** A barrier opens when every branch that has it stands before it. */
function openBarriers(run: Run): RunEvent[] {
  const waiting = runningSteps(run).flatMap(([step, { attempt }]) => {
    const leaf = run.plan.leaves.get(step);
    return leaf?.spec.kind === "barrier" ? [{ step, attempt, stage: leaf.stage, name: leaf.spec.name }] : [];
  });
  return waiting.flatMap(({ step, attempt, stage, name }) => {
    const expected = (run.plan.stages[stage] ?? []).filter((branch) =>
      branch.some(({ spec }) => spec.kind === "barrier" && spec.name === name),
    );
    const here = waiting.filter((other) => other.stage === stage && other.name === name);
    return here.length === expected.length ? [stepEnded(step, attempt, "succeeded", null)] : [];
  });
}

/** A person lets it go on: barriers get their whole time again, since nobody could reach them meanwhile. */
export const barrierTimers = (run: Run, nowUs: number): RunEvent[] =>
  runningSteps(run).flatMap(([step]) => {
    const spec = run.plan.leaves.get(step)?.spec;
    return spec?.kind === "barrier" ? [timerSet(`step:${step}`, spec.deadlineMs, nowUs)] : [];
  });

/** The time of a step is over. */
export function stepOverdue(run: Run, step: string, nowUs: number): RunEvent[] {
  const record = run.steps.get(step);
  const leaf = run.plan.leaves.get(step);
  if (record?.status !== "running" || !leaf) return [];
  const { spec } = leaf;
  if (spec.kind === "dwell") return [stepEnded(step, record.attempt, "succeeded", null)];
  if (spec.kind === "barrier" && run.state === "paused") return [];
  const problem: ProblemFacts = {
    slug: "deadline-passed",
    detail: `step ${step} took longer than its deadline of ${spec.deadlineMs} ms`,
    remedy: "look at its axis; a dry run shows how long the step needs",
  };
  if (spec.kind !== "command") return [stepEnded(step, record.attempt, "failed", problem)];
  // Its command may still move: it ends with the halt of the group.
  return run.state === "running" || run.state === "paused" ? leave(run, problem, nowUs) : [];
}
