import type { CommandView } from "@servofleet/contracts";
import { TERMINAL_STATES } from "@servofleet/contracts";
import { bringTo } from "./ready-bench.ts";
import { StepError } from "./rig-error.ts";
import type { ScenarioResult, StepResult } from "./rig-result.ts";
import { axesOf, axisOf, lookUntil, pause, type RunState } from "./run-state.ts";
import type { Scenario, Step } from "./scenario.ts";
import {
  cancelCommand,
  provoke,
  reconcileAxis,
  sendCommand,
  sendStop,
  setMark,
  signalProcess,
} from "./step-actions.ts";
import { checkRecord, checkUnmoved, expectNow, holdsFor, waitFor } from "./step-checks.ts";
import { stepWords } from "./step-words.ts";

const END_LIMIT_MS = 30_000;
const AFTER_FAULT_MS = 600;

/** Runs one scenario on its axes and leaves them without faults and without a motion. Never throws for what failed. */
export async function runScenario(state: RunState): Promise<ScenarioResult> {
  const { plan, clock } = state;
  const { scenario } = plan;
  const steps: StepResult[] = [];
  const fromUs = clock.wallUs();
  let failure = await attempt(state, steps, `made ${scenario.start}`, () => prepare(state, scenario));
  for (const step of scenario.steps) {
    if (failure === undefined) failure = await attempt(state, steps, stepWords(step), () => act(state, step));
    else steps.push({ words: stepWords(step), outcome: "not-run", fromUs: 0, toUs: 0, detail: "" });
  }
  const toUs = clock.wallUs();
  const mess = await cleanUp(state, failure !== undefined);
  const reason = failure ?? mess;
  return {
    ...headOf(state),
    outcome: reason === undefined ? "passed" : "failed",
    reason: reason ?? "",
    fromUs,
    toUs,
    steps,
    commands: await storiesOf(state),
    curves: [],
  };
}

function headOf({ plan }: RunState) {
  const { scenario, profile, axes } = plan;
  const { name, title, why } = scenario;
  const used = Object.values(axes);
  const drives = used.some(({ real }) => real) ? ("real" as const) : ("simulated" as const);
  return { scenario: name, title, why, profile, axes: used.map(({ id }) => id), drives };
}

/** Twice: while one axis was brought there, a service that starts again may have learnt that another is not any more. */
async function prepare(state: RunState, { start }: Scenario): Promise<void> {
  for (let look = 0; look < 2; look++) await Promise.all(axesOf(state).map((bench) => bringTo(state, bench, start)));
}

/** Runs one step and keeps how it came out; returns why it failed. */
async function attempt(
  state: RunState,
  steps: StepResult[],
  words: string,
  run: () => Promise<void>,
): Promise<string | undefined> {
  const fromUs = state.clock.wallUs();
  let detail: string | undefined;
  try {
    if (state.signal.aborted) throw new StepError("interrupted");
    await run();
  } catch (error) {
    detail = error instanceof Error ? error.message : String(error);
  }
  const outcome = detail === undefined ? "passed" : "failed";
  steps.push({ words, outcome, fromUs, toUs: state.clock.wallUs(), detail: detail ?? "" });
  return detail === undefined ? undefined : `${words}: ${detail}`;
}

function act(state: RunState, step: Step): Promise<void> {
  switch (step.do) {
    case "command":
      return sendCommand(state, step);
    case "stop":
      return sendStop(state, step);
    case "cancel":
      return cancelCommand(state, step);
    case "reconcile":
      return reconcileAxis(state, step);
    case "ready":
      return bringTo(state, axisOf(state, step.axis), "ready");
    case "fault":
      return provoke(state, step);
    case "process":
      return signalProcess(state, step);
    case "mark":
      return setMark(state, step.name);
    case "record":
      return checkRecord(state, step);
    case "until":
      return waitFor(state, step, step.withinMs);
    case "expect":
      return expectNow(state, step);
    case "stays":
      return holdsFor(state, step, step.forMs);
    case "unmoved":
      return checkUnmoved(state, step);
    default:
      return step satisfies never;
  }
}

/** Faults end, a failed scenario's axes are stopped, and what still runs is waited for. Returns what stayed behind. */
async function cleanUp(state: RunState, failed: boolean): Promise<string | undefined> {
  const { gateway, plan } = state;
  try {
    for (const step of plan.scenario.steps) await undo(state, step);
    if (plan.scenario.steps.some((step) => step.do === "fault")) await linksAnswer(state);
    if (failed) for (const { id } of axesOf(state)) await gateway.call("POST", `/v1/axes/${id}/stop`);
    for (const { id } of axesOf(state)) await standing(state, id, failed);
    return undefined;
  } catch (error) {
    return `left behind: ${error instanceof Error ? error.message : String(error)}`;
  }
}

/** What the bridge thinks of a unit comes after the fault: the next scenario begins when it thinks well of it again. */
async function linksAnswer(state: RunState): Promise<void> {
  await pause(state, AFTER_FAULT_MS);
  const calm = { ...state, signal: new AbortController().signal };
  for (const { id, link } of axesOf(state))
    await lookUntil(
      calm,
      async () => (await state.gateway.link(link)).units.find(({ axis }) => axis === id)?.breaker,
      (breaker) => (breaker === "closed" ? [] : [`the breaker of ${id} is ${breaker ?? "unknown"}`]),
      END_LIMIT_MS,
    );
}

/** What a step upset is put right, whether or not the scenario came to its own step for it. */
async function undo(state: RunState, step: Step): Promise<void> {
  if (step.do === "process" && step.signal === "SIGSTOP") wake(state.box.pid(step.service));
  if (step.do !== "fault") return;
  const { id, link } = axisOf(state, step.axis);
  if (step.at === "drive") await state.gateway.upset("drives", id, { kind: "clear" });
  else if (step.kind === "unplug") await state.gateway.upset("links", link, { kind: "replug" });
}

function wake(pid: number | undefined): void {
  if (pid !== undefined) process.kill(pid, "SIGCONT");
}

const MOVING = ["homing", "discrete-motion", "continuous-motion", "synchronized-motion", "stopping"];

/** Also waits until the read side shows the latch of a stop, or the next scenario would take the axis for a free one. */
async function standing(state: RunState, id: string, latched: boolean): Promise<void> {
  const calm = { ...state, signal: new AbortController().signal };
  await lookUntil(
    calm,
    () => state.gateway.axis(id),
    (axis) => [
      ...(MOVING.includes(axis.state) || axis.state === "offline" ? [`${id} is ${axis.state}`] : []),
      ...(latched && !axis.stopLatched ? [`the stop of ${id} is not latched`] : []),
    ],
    END_LIMIT_MS,
  );
}

async function storiesOf(state: RunState): Promise<readonly CommandView[]> {
  const stories: CommandView[] = [];
  for (const id of new Set(state.commands)) {
    const story = await lookUntil(
      { ...state, signal: new AbortController().signal },
      () => state.gateway.command(id),
      (command) => (TERMINAL_STATES.has(command.state) ? [] : [`${id} is ${command.state}`]),
      END_LIMIT_MS,
    ).catch(() => undefined);
    if (story) stories.push(story);
  }
  return stories;
}
