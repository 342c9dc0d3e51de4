import type { CommandView, Page, RunView, RunWordView, StartedRunView } from "@servofleet/contracts";
import { sleep } from "@servofleet/runtime/clock";
import { systemClock } from "@servofleet/runtime/system-clock";
import { FAILED, UsageError } from "../exit.ts";
import { call, RefusedError, type Target } from "./api-client.ts";
import type { Output } from "./output.ts";
import { diffTable, runDiff } from "./run-diff.ts";
import { runStory, runTable } from "./run-lines.ts";

/** How often a verb that waits for the end of a run looks. */
const LOOK_MS = 200;
const RUNS_SHOWN = 50;
const READ_BEHIND = "/problems/read-model-behind";
const GOES_ON: ReadonlySet<string> = new Set(["running", "paused", "halting", "compensating", "offering"]);

const path = (...parts: readonly string[]): string => `/v1/${parts.map(encodeURIComponent).join("/")}`;
const runOf = async (target: Target, runId: string): Promise<RunView> =>
  (await call<RunView>(target, "GET", path("runs", runId))).body;

/** `run PROGRAM`: exit code 0 when it is started, or with `--wait` when it was completed. */
export async function startRun(
  target: Target,
  out: Output,
  program: string,
  wait: boolean,
  signal: AbortSignal,
): Promise<number> {
  const { body, headers } = await call<StartedRunView>(target, "POST", path("programs", program, "runs"));
  if (!wait) {
    out.show(body, () => `${program} started as ${body.runId}\n  servofleet runs ${body.runId}`);
    return 0;
  }
  let run = await firstView(target, String(headers["location"]), signal);
  let told = "";
  while (GOES_ON.has(run.state) && !signal.aborted) {
    if (run.state !== told && (run.state === "offering" || run.state === "paused")) out.note(runStory(run));
    told = run.state;
    await sleep(systemClock(), LOOK_MS, signal).catch(() => undefined);
    run = await runOf(target, run.runId);
  }
  out.show(run, () => runStory(run));
  return run.state === "completed" ? 0 : FAILED;
}

/** The run as the read side shows it first: asked again while that is behind the log, for the run goes on. */
async function firstView(target: Target, location: string, signal: AbortSignal): Promise<RunView> {
  for (;;) {
    try {
      return (await call<RunView>(target, "GET", location)).body;
    } catch (error) {
      if (!(error instanceof RefusedError) || error.code !== READ_BEHIND || signal.aborted) throw error;
      await sleep(systemClock(), LOOK_MS, signal).catch(() => undefined);
    }
  }
}

/** `runs`: the newest, or one with its steps. */
export async function showRuns(target: Target, out: Output, runId?: string, program?: string): Promise<number> {
  if (runId !== undefined) {
    const run = await runOf(target, runId);
    out.show(run, () => runStory(run));
    return 0;
  }
  const query = new URLSearchParams({ limit: String(RUNS_SHOWN), ...(program === undefined ? {} : { program }) });
  const { body } = await call<Page<RunView>>(target, "GET", `/v1/runs?${query}`);
  out.show(body, () => runTable(body.items));
  return 0;
}

/** `pause`, `resume`, `abort`. */
export async function sayToRun(target: Target, out: Output, runId: string, what: string): Promise<number> {
  const { body } = await call<RunWordView>(target, "POST", path("runs", runId, what));
  out.show(body, () => `${body.runId} is ${body.state}`);
  return 0;
}

/** `diff RUN RUN`: exit code 0 when both went through the same steps to the same ends. */
export async function diffRuns(target: Target, out: Output, first: string, second: string): Promise<number> {
  const [a, b] = await Promise.all([runOf(target, first), runOf(target, second)]);
  if (a.program !== b.program) {
    const facts = { programs: [a.program, b.program] };
    throw new UsageError(`${a.program} and ${b.program} are two programs`, facts, "name two runs of one program");
  }
  const ids = [...a.steps, ...b.steps].flatMap(({ commandId }) => (commandId === null ? [] : [commandId]));
  const ends = new Map(
    await Promise.all(
      ids.map(async (id) => [id, (await call<CommandView>(target, "GET", path("commands", id))).body] as const),
    ),
  );
  const steps = runDiff(a, b, ends);
  out.show({ a, b, steps }, () => diffTable(a, b, steps));
  return a.state === b.state && steps.every(({ same }) => same) ? 0 : FAILED;
}
