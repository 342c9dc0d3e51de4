import { TERMINAL_STATES } from "@servofleet/contracts";
import type { MotionWrite } from "../sim/drive-record.ts";
import { lengthIn } from "./amount.ts";
import { alternatives, asksFor, commandUnmet, type Look, unmet } from "./condition.ts";
import { StepError } from "./rig-error.ts";
import { axisOf, lookUntil, type Mark, pause, type RunState, storyOf } from "./run-state.ts";
import type { Condition, RecordStep, Step } from "./scenario.ts";

const LOOK_EVERY_MS = 25;
/** What starts a motion, in a drive's record. */
const MOTION = ["start-absolute", "start-relative", "velocity", "home"];

/** Waits until the condition holds. @throws StepError with what is missing */
export async function waitFor(state: RunState, condition: Condition, withinMs: number): Promise<void> {
  const bench = axisOf(state, condition.axis);
  const look = async () => {
    const seen = await lookAt(state, condition);
    return { seen, missing: unmet(condition, seen, bench) };
  };
  const settled = ({ seen, missing }: { seen: Look; missing: readonly string[] }) =>
    endedOtherwise(condition, seen) ? [] : missing;
  const { seen, missing } = await lookUntil(state, look, settled, withinMs);
  if (missing.length > 0) throw new StepError(`${missing.join("; ")}${problemOf(seen)}`);
}

/** A command that has ended in another way will never end as awaited: nobody has to wait for that. */
const endedOtherwise = (condition: Condition, { command }: Look): boolean =>
  command !== undefined && TERMINAL_STATES.has(command.state) && commandUnmet(condition, command).length > 0;

const problemOf = ({ command }: Look): string => (command?.problem ? ` (${command.problem.detail})` : "");

/** The condition holds now. @throws StepError */
export async function expectNow(state: RunState, condition: Condition): Promise<void> {
  const missing = unmet(condition, await lookAt(state, condition), axisOf(state, condition.axis));
  if (missing.length > 0) throw new StepError(missing.join("; "));
}

/** The condition holds at every look for so long. @throws StepError */
export async function holdsFor(state: RunState, condition: Condition, forMs: number): Promise<void> {
  const end = state.clock.monotonicMs() + forMs;
  do {
    await expectNow(state, condition);
    await pause(state, LOOK_EVERY_MS);
  } while (state.clock.monotonicMs() < end && !state.signal.aborted);
}

async function lookAt(state: RunState, condition: Condition): Promise<Look> {
  const asked = asksFor(condition);
  const { id, link } = axisOf(state, condition.axis);
  const { gateway } = state;
  return {
    axis: asked.axis ? await gateway.axis(id) : undefined,
    drive: asked.drive ? await gateway.drive(id) : undefined,
    link: asked.link ? await gateway.link(link) : undefined,
    command: condition.command === undefined ? undefined : await storyOf(state, condition.command),
    marked: condition.nearMark === undefined ? undefined : markOf(state, condition.nearMark, id).shown,
  };
}

function markOf({ marks }: RunState, name: string, axis: string): Mark {
  const mark = marks.get(name)?.get(axis);
  if (!mark) throw new StepError(`nothing was marked as ${name}`);
  return mark;
}

/** Reads off the simulated drive's own record what it was told. @throws StepError with the record */
export async function checkRecord(state: RunState, step: RecordStep): Promise<void> {
  const { id } = axisOf(state, step.axis);
  const { record } = await state.gateway.drive(id, markOf(state, step.since, id).seq);
  const trouble = recordTrouble(record, step);
  if (trouble) throw new StepError(trouble, { record });
}

/** What is wrong with a record; undefined when it is as the step says. */
export function recordTrouble(record: readonly MotionWrite[], step: RecordStep): string | undefined {
  const kinds = alternatives(step.kind).flatMap((kind) => (kind === "motion" ? MOTION : [kind]));
  const from =
    step.after === undefined ? 0 : record.findIndex(({ kind }) => alternatives(step.after ?? "").includes(kind)) + 1;
  const heard = `it heard ${record.map(({ kind, obeyed }) => (obeyed ? kind : `${kind} (not obeyed)`)).join(", ") || "nothing"}`;
  if (step.after !== undefined && from === 0) return `the drive never heard ${step.after}; ${heard}`;
  const first = record[from];
  if (step.first) return first && kinds.includes(first.kind) ? undefined : `the first was not ${step.kind}; ${heard}`;
  const found = record
    .slice(from)
    .filter(({ kind, obeyed }) => kinds.includes(kind) && (step.obeyed === undefined || obeyed === step.obeyed)).length;
  const [least, most] = [step.atLeast ?? 0, step.atMost ?? Number.POSITIVE_INFINITY];
  const open = step.atLeast !== undefined || step.atMost !== undefined;
  if (open ? found >= least && found <= most : found === (step.times ?? 1)) return undefined;
  const wanted = step.atLeast !== undefined ? `at least ${least}` : open ? `at most ${most}` : (step.times ?? 1);
  return `${step.kind} ${found} times, not ${wanted}; ${heard}`;
}

/** The axis stands where it stood at the mark: by its drive's true place where that can be read. @throws StepError */
export async function checkUnmoved(state: RunState, step: Extract<Step, { do: "unmoved" }>): Promise<void> {
  const bench = axisOf(state, step.axis);
  const mark = markOf(state, step.since, bench.id);
  const by = lengthIn(bench.reach, step.by);
  const moved =
    mark.place === undefined
      ? ((await state.gateway.axis(bench.id)).measured.position ?? Number.NaN) - mark.shown
      : ((await state.gateway.drive(bench.id)).plant.position - mark.place) / bench.countsPerUnit;
  if (Math.abs(moved) <= by) return;
  throw new StepError(
    `${bench.id} has moved by ${Math.round(moved * 1000) / 1000} ${bench.unitName} since ${step.since}`,
  );
}
