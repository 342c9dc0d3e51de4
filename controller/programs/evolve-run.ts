import type { EventData, RunEventType } from "@servofleet/contracts";
import { assert } from "@servofleet/runtime/assert";
import { planOf } from "./program-plan.ts";
import { isEnded, type Run, type RunEvent, type StepRecord } from "./run-state.ts";

/** The first event makes the run. */
export function startedRun(data: EventData<"RunStarted">): Run {
  const { runId, version, axes, principal, leaseId } = data;
  return {
    runId,
    plan: planOf(data.program),
    version,
    axes,
    principal,
    leaseId,
    state: "running",
    steps: new Map(),
    halts: new Map(),
    timers: new Map(),
    stopped: new Set(),
    touched: false,
    aborted: false,
    cause: null,
    queue: [],
    undoing: null,
    compensated: 0,
    left: false,
  };
}

type Fold<T extends RunEventType> = (run: Run, data: EventData<T>) => Run;

const without = (run: Run, ...tokens: readonly string[]): Run["timers"] =>
  new Map([...run.timers].filter(([token]) => !tokens.includes(token)));

const ended = (record: StepRecord | undefined, data: EventData<"RunStepEnded">): StepRecord => {
  assert(record?.status === "running", `step ${data.step} has ended already or never began`);
  return { ...record, status: data.outcome as StepRecord["status"], problem: data.problem };
};

const stepEnded: Fold<"RunStepEnded"> = (run, data) => {
  const { step } = data;
  const timers = without(run, `step:${step}`);
  if (run.halts.has(step))
    return { ...run, timers, halts: new Map(run.halts).set(step, ended(run.halts.get(step), data)) };
  return { ...run, timers, steps: new Map(run.steps).set(step, ended(run.steps.get(step), data)) };
};

const halting: Fold<"RunHalting"> = (run, { problem, aborted, commands }) => ({
  ...run,
  state: "halting",
  cause: problem,
  aborted,
  timers: without(run, "pause"),
  halts: new Map(
    commands.map((command) => [`halt:${command.axis}`, { status: "running", attempt: 1, command, problem: null }]),
  ),
});

const compensationEnded: Fold<"RunCompensationEnded"> = (run, { step, outcome }) => ({
  ...run,
  state: "compensating",
  undoing: null,
  queue: run.queue.filter((waiting) => waiting !== step),
  timers: without(run, `undo:${step}`, `offer:${step}`),
  compensated: run.compensated + (outcome === "done" ? 1 : 0),
  left: run.left || outcome !== "done",
});

const FOLDS: { readonly [T in Exclude<RunEventType, "RunStarted">]: Fold<T> } = {
  RunStepStarted: (run, { step, attempt, command }) => ({
    ...run,
    steps: new Map(run.steps).set(step, { status: "running", attempt, command, problem: null }),
  }),
  RunStepEnded: stepEnded,
  RunTimerSet: (run, { token, afterMs, dueAt }) => ({
    ...run,
    timers: new Map(run.timers).set(token, { afterMs, dueAt }),
  }),
  RunTimerFired: (run, { token }) => ({ ...run, timers: without(run, token) }),
  RunPaused: (run) => ({ ...run, state: "paused" }),
  RunResumed: (run, { leaseId }) => ({ ...run, state: "running", leaseId, timers: without(run, "pause") }),
  RunTouched: (run, { axis }) => ({ ...run, touched: true, stopped: new Set(run.stopped).add(axis) }),
  RunHalting: halting,
  RunStopAsked: (run, { axes }) => ({ ...run, touched: true, stopped: new Set([...run.stopped, ...axes]) }),
  RunCompensating: (run, { steps }) => ({
    ...run,
    state: "compensating",
    queue: steps,
    timers: without(run, "halt", "halt:2"),
  }),
  RunCompensationOffered: (run, { step }) => ({
    ...run,
    state: "offering",
    undoing: { step, offered: true, command: null },
  }),
  RunCompensationStarted: (run, { step, command }) => ({
    ...run,
    state: "compensating",
    undoing: { step, offered: false, command },
    timers: without(run, `offer:${step}`),
  }),
  RunCompensationEnded: compensationEnded,
  RunEnded: (run, { outcome }) => ({ ...run, state: outcome, timers: new Map(), queue: [], undoing: null }),
};

/** The run after one more event of its stream. Pure: same events, same run. */
export function evolveRun(run: Run | undefined, event: RunEvent): Run {
  if (event.type === "RunStarted") {
    assert(run === undefined, `run ${event.data.runId} was started twice`);
    return startedRun(event.data);
  }
  assert(run !== undefined && !isEnded(run), `${event.type} for a run that does not live`);
  const fold = FOLDS[event.type] as Fold<RunEventType>;
  return fold(run, event.data as EventData<RunEventType>);
}
