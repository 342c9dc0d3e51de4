import type { ProblemFacts, Refusal } from "@servofleet/contracts";
import { assert } from "@servofleet/runtime/assert";
import { refuse } from "../domain/refusal.ts";
import { type AxisFacts, holds } from "./axis-condition.ts";
import { evolveRun } from "./evolve-run.ts";
import { haltOverdue, isLoose, leave, runningSteps, stepEnded, whileHalting } from "./run-halting.ts";
import { isEnded, type Run, type RunEvent, type StepRecord } from "./run-state.ts";
import { PAUSE_LIMIT_MS, timerSet } from "./run-timer.ts";
import { accepted, undoEnded, undoOver, whileCompensating } from "./run-undoing.ts";
import { barrierTimers, onTheWay, stepOverdue } from "./run-way.ts";

/** How a command of the run stands: set going (a velocity move), or how it ended. */
export type CommandNews = "moving" | "succeeded" | "failed" | "rejected" | "stopped" | "indeterminate";

/** Everything that can happen to a run. */
export type RunInput =
  | { readonly type: "begin" }
  | {
      readonly type: "command";
      readonly commandId: string;
      readonly news: CommandNews;
      readonly problem: ProblemFacts | null;
    }
  | { readonly type: "look"; readonly facts: ReadonlyMap<string, AxisFacts> }
  | { readonly type: "timer"; readonly token: string }
  | { readonly type: "trouble"; readonly axis: string; readonly inError: boolean; readonly problem: ProblemFacts }
  | { readonly type: "stop"; readonly axis: string; readonly by: string }
  | { readonly type: "stop-confirmed"; readonly axis: string; readonly done: boolean }
  | { readonly type: "control-lost"; readonly by: string }
  | { readonly type: "pause" | "abort"; readonly by: string }
  | { readonly type: "resume"; readonly by: string; readonly leaseId: string };

/** More than a run can ever need in one go; beyond it the rules chase their own tail. */
const ROUNDS_MAX = 500;

/** What follows from one input, to its end. Pure: no clock but the time it is told. */
export function decideRun(run: Run, input: RunInput, nowUs: number): readonly RunEvent[] | Refusal {
  const first = isEnded(run) ? ended(input) : react(run, input, nowUs);
  if ("refused" in first) return first;
  const events = [...first];
  let after = first.reduce<Run>(evolveRun, run);
  if (first.length === 0 && input.type !== "begin") return events;
  for (let round = 0; ; round++) {
    assert(round < ROUNDS_MAX, `run ${run.runId} does not come to rest`);
    const more = advance(after, nowUs);
    if (more.length === 0) return events;
    events.push(...more);
    after = more.reduce<Run>(evolveRun, after);
  }
}

/**
 * The first word of a new life to a run that the old one left open. Held by default; where the program says so it waits,
 * paused, for a person. Nothing is begun and nothing sent either way. `axesThere`: all its axes are still configured.
 */
export function decideRestart(run: Run, nowUs: number, axesThere: boolean): readonly RunEvent[] {
  const reason = axesThere ? "the controller restarted" : "the controller restarted without all of its axes";
  if (axesThere && onItsWay(run) && run.plan.program.onRestart === "pause") {
    return [{ type: "RunPaused", data: { by: "restart", reason } }, timerSet("pause", PAUSE_LIMIT_MS, nowUs)];
  }
  return [{ type: "RunEnded", data: { outcome: "held", reason, problem: run.cause } }];
}

function advance(run: Run, nowUs: number): RunEvent[] {
  switch (run.state) {
    case "running":
    case "paused":
      return onTheWay(run, nowUs);
    case "halting":
      return whileHalting(run);
    case "compensating":
      return whileCompensating(run, nowUs);
    default:
      return [];
  }
}

const isPerson = (input: RunInput): boolean => ["pause", "abort", "resume"].includes(input.type);

const notNow = (run: Run, what: string): Refusal =>
  refuse({
    slug: "run-not-ready",
    detail: `run ${run.runId} is ${run.state}: it cannot be ${what} now`,
    remedy: "GET /v1/runs/{id} shows what it waits for; a stop works always",
  });

function ended(input: RunInput): readonly RunEvent[] | Refusal {
  if (!isPerson(input)) return [];
  return refuse({ slug: "run-not-ready", detail: "the run has ended", remedy: "start a new run" });
}

const onItsWay = (run: Run): boolean => run.state === "running" || run.state === "paused";

function react(run: Run, input: RunInput, nowUs: number): readonly RunEvent[] | Refusal {
  switch (input.type) {
    case "begin":
      return [];
    case "command":
      return commandNews(run, input, nowUs);
    case "look":
      return looked(run, input.facts);
    case "timer":
      return run.timers.has(input.token) ? timerFired(run, input.token, nowUs) : [];
    case "trouble": {
      const spared = input.inError ? [input.axis] : [];
      return onItsWay(run) ? leave(run, input.problem, nowUs, { spared }) : [];
    }
    case "stop":
      return touched(run, input.axis, input.by, nowUs);
    case "control-lost":
      return touched(run, "lease", input.by, nowUs);
    case "stop-confirmed":
      return stopConfirmed(run, input.axis, input.done);
    case "pause":
      if (run.state !== "running") return notNow(run, "paused");
      return [
        { type: "RunPaused", data: { by: input.by, reason: "asked for" } },
        timerSet("pause", PAUSE_LIMIT_MS, nowUs),
      ];
    case "resume":
      if (run.state === "offering") return accepted(run, input.by, nowUs);
      if (run.state !== "paused") return notNow(run, "resumed");
      return [{ type: "RunResumed", data: { by: input.by, leaseId: input.leaseId } }, ...barrierTimers(run, nowUs)];
    case "abort":
      return abort(run, input.by, nowUs);
  }
}

function abort(run: Run, by: string, nowUs: number): readonly RunEvent[] | Refusal {
  if (run.state === "offering" && run.undoing) {
    return [undoEnded(run, run.undoing.step, "declined", `declined by ${by}`)];
  }
  if (!onItsWay(run)) return notNow(run, "aborted");
  const remedy = "start it again when you want it";
  return leave(run, { slug: "run-not-ready", detail: `aborted by ${by}`, remedy }, nowUs, { aborted: true });
}

function touched(run: Run, axis: string, by: string, nowUs: number): RunEvent[] {
  if (run.stopped.has(axis)) return [];
  const event: RunEvent = { type: "RunTouched", data: { axis, by: by.slice(0, 500) } };
  const after = evolveRun(run, event);
  const what = axis === "lease" ? by : `a stop of axis ${axis} (${by})`;
  const remedy = "find out why, then start a new run";
  const offered = run.state === "offering" && run.undoing ? [undoEnded(run, run.undoing.step, "skipped", what)] : [];
  const left = onItsWay(run) ? leave(after, { slug: "run-not-ready", detail: what.slice(0, 500), remedy }, nowUs) : [];
  return [event, ...offered, ...left];
}

function looked(run: Run, facts: ReadonlyMap<string, AxisFacts>): RunEvent[] {
  return runningSteps(run).flatMap(([step, { attempt }]) => {
    const spec = run.plan.leaves.get(step)?.spec;
    if (spec?.kind !== "wait" || !holds(spec.until, facts.get(spec.until.axis))) return [];
    return [stepEnded(step, attempt, "succeeded", null)];
  });
}

function timerFired(run: Run, token: string, nowUs: number): RunEvent[] {
  const fired: RunEvent = { type: "RunTimerFired", data: { token } };
  const after = evolveRun(run, fired);
  const [purpose, step = ""] = token.split(":");
  switch (purpose) {
    case "step":
      return [fired, ...stepOverdue(after, step, nowUs)];
    case "halt":
      return run.state === "halting" ? [fired, ...haltOverdue(after, step === "2", nowUs)] : [fired];
    case "undo":
      return [fired, ...undoOver(after, false, true, "it took longer than its deadline")];
    case "offer":
      return [fired, undoEnded(after, step, "declined", "nobody let it go ahead in time")];
    case "pause": {
      const detail = "nobody resumed it in time";
      return [fired, ...leave(after, { slug: "deadline-passed", detail, remedy: "start it again" }, nowUs)];
    }
    default:
      return [fired];
  }
}

type News = Extract<RunInput, { type: "command" }>;

const OUTCOME = { succeeded: "succeeded", indeterminate: "unknown", failed: "failed", rejected: "failed" } as const;

function commandNews(run: Run, input: News, nowUs: number): RunEvent[] {
  const { commandId, news, problem } = input;
  const of = ([, record]: readonly [string, StepRecord]) =>
    record.status === "running" && record.command?.commandId === commandId;
  const halt = [...run.halts].find(of);
  if (halt && news !== "moving") return [stepEnded(halt[0], 1, news === "stopped" ? "halted" : OUTCOME[news], problem)];
  const step = runningSteps(run).find(of);
  if (step) return stepNews(run, step, input);
  if (run.undoing?.command?.commandId === commandId && news !== "moving") {
    return undoOver(run, news === "succeeded", news !== "rejected", problem?.detail ?? `its command ${news}`);
  }
  if (news === "moving" || !onItsWay(run) || !isLoose(run, commandId)) return [];
  const detail = `a motion that was to go on has ended: ${problem?.detail ?? news}`;
  return leave(run, { slug: "run-not-ready", detail, remedy: "look at its command" }, nowUs);
}

const ENDED_EARLY: ProblemFacts = {
  slug: "run-not-ready",
  detail: "the velocity move ended before it was seen to run",
  remedy: "look at its command",
};

function stepNews(run: Run, [step, { attempt }]: readonly [string, StepRecord], { news, problem }: News): RunEvent[] {
  const spec = run.plan.leaves.get(step)?.spec;
  const velocity = spec?.kind === "command" && spec.command.type === "MoveVelocity";
  // Set going is all that can be waited for: a velocity move has no end of its own.
  if (news === "moving") return velocity ? [stepEnded(step, attempt, "succeeded", null)] : [];
  // And it is over as soon as it has an end, whatever that end is called: nothing of it may count as running on.
  if (velocity && news === "succeeded") return [stepEnded(step, attempt, "failed", ENDED_EARLY)];
  if (news === "stopped") return [stepEnded(step, attempt, onItsWay(run) ? "failed" : "halted", problem)];
  return [stepEnded(step, attempt, OUTCOME[news], problem)];
}

function stopConfirmed(run: Run, axis: string, done: boolean): RunEvent[] {
  const { undoing } = run;
  const leaf = undoing && run.plan.leaves.get(undoing.step);
  if (leaf?.spec.kind !== "command" || leaf.spec.axis !== axis || leaf.compensation.kind !== "stop") return [];
  return undoOver(run, done, false, done ? "the drive acknowledged the stop" : "the drive did not take the stop");
}
