import type { ProblemFacts } from "@servofleet/contracts";
import { isDriving } from "../domain/axis-state.ts";
import { commandIdOf, type Run, type RunEvent, type StepRecord } from "./run-state.ts";
import { HALT_LIMIT_MS, timerSet } from "./run-timer.ts";

/** Steps that have begun and not ended. */
export const runningSteps = (run: Run): readonly (readonly [string, StepRecord])[] =>
  [...run.steps].filter(([, { status }]) => status === "running");

const typeOf = (run: Run, step: string) => {
  const spec = run.plan.leaves.get(step)?.spec;
  return spec?.kind === "command" ? spec.command.type : null;
};

/** Velocity moves that were set going, by axis, until a later step of their axis that `takesOver`. */
function looseMoves(run: Run, takesOver: (status: StepRecord["status"]) => boolean): ReadonlyMap<string, string> {
  const loose = new Map<string, string>();
  for (const [step, { status, command }] of run.steps) {
    const type = typeOf(run, step);
    if (!command || !type || !isDriving(type)) continue;
    if (type === "MoveVelocity" && status === "succeeded") loose.set(command.axis, command.commandId);
    else if (takesOver(status)) loose.delete(command.axis);
  }
  return loose;
}

/** Whether the command is a velocity move that is meant to go on: no later step of its axis has begun. */
export const isLoose = (run: Run, commandId: string): boolean =>
  [...looseMoves(run, () => true).values()].includes(commandId);

/**
 * Leaves the good way: everything of this run that may move is halted (PLCopen: one axis in error brings the group to
 * error), what only waits ends at once. `spared`: an axis in error-stop, which its drive has brought to rest.
 */
export function leave(
  run: Run,
  problem: ProblemFacts,
  nowUs: number,
  { aborted = false, spared = [] }: { readonly aborted?: boolean; readonly spared?: readonly string[] } = {},
): RunEvent[] {
  const running = runningSteps(run);
  const driven = running.flatMap(([step, { command }]) => {
    const type = typeOf(run, step);
    return command && type && isDriving(type) ? [command.axis] : [];
  });
  const loose = looseMoves(run, (status) => status === "succeeded").keys();
  const axes = [...new Set([...driven, ...loose])].filter((axis) => !run.stopped.has(axis) && !spared.includes(axis));
  const commands = axes.map((axis) => ({ axis, commandId: commandIdOf(run.runId, `halt:${axis}`, 1) }));
  return [
    { type: "RunHalting", data: { problem, aborted, commands } },
    ...running
      .filter(([, { command }]) => command === null)
      .map(([step, { attempt }]) => stepEnded(step, attempt, "halted", null)),
    timerSet("halt", HALT_LIMIT_MS, nowUs),
  ];
}

export const stepEnded = (
  step: string,
  attempt: number,
  outcome: "succeeded" | "failed" | "unknown" | "halted",
  problem: ProblemFacts | null,
): RunEvent => ({ type: "RunStepEnded", data: { step, attempt, outcome, problem } });

/** Steps and halts that keep the group from being at rest. */
const pending = (run: Run): readonly (readonly [string, StepRecord])[] => [
  ...runningSteps(run),
  ...[...run.halts].filter(([, { status }]) => status === "running"),
];

/** The group did not come to rest in time: it is stopped; and when that took too long, too, the run goes on without it. */
export function haltOverdue(run: Run, second: boolean, nowUs: number): RunEvent[] {
  const open = pending(run);
  if (second) {
    const problem: ProblemFacts = {
      slug: "deadline-passed",
      detail: `no word of its end within ${2 * HALT_LIMIT_MS} ms, not even after a stop`,
      remedy: "look at the axis before anything else",
    };
    return open.map(([step, { attempt }]) => stepEnded(step, attempt, "unknown", problem));
  }
  const theirs = open.flatMap(([, { command }]) => (command ? [command.axis] : []));
  const axes = [...new Set(theirs)].filter((axis) => !run.stopped.has(axis));
  const reason = `not at rest ${HALT_LIMIT_MS} ms after the halt of the group`;
  const asked: RunEvent[] = axes.length === 0 ? [] : [{ type: "RunStopAsked", data: { axes, reason } }];
  return [...asked, timerSet("halt:2", HALT_LIMIT_MS, nowUs)];
}

/** What follows while the group comes to rest: a halt that did not do is a stop; at rest the compensations begin. */
export function whileHalting(run: Run): RunEvent[] {
  const undone = [...run.halts.values()].filter(
    ({ status, command }) =>
      status !== "running" && status !== "succeeded" && command && !run.stopped.has(command.axis),
  );
  if (undone.length > 0) {
    const axes = undone.flatMap(({ command }) => (command ? [command.axis] : []));
    const why = undone[0]?.problem?.detail ?? "it did not end well";
    return [{ type: "RunStopAsked", data: { axes, reason: `halting was not enough: ${why}`.slice(0, 500) } }];
  }
  if (pending(run).length > 0) return [];
  const steps = [...run.steps].flatMap(([step, { command }]) =>
    command && run.plan.leaves.get(step)?.compensation.kind !== "none" ? [step] : [],
  );
  return [{ type: "RunCompensating", data: { steps: steps.reverse() } }];
}
