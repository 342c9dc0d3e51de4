import type { EventData, RunOutcome } from "@servofleet/contracts";
import { commandIdOf, type Run, type RunEvent } from "./run-state.ts";
import { OFFER_LIMIT_MS, timerSet } from "./run-timer.ts";

type UndoOutcome = "done" | "failed" | "declined" | "skipped" | "manual";

export function undoEnded(run: Run, step: string, outcome: UndoOutcome, detail: string): RunEvent {
  const kind = run.plan.leaves.get(step)?.compensation.kind ?? "none";
  return { type: "RunCompensationEnded", data: { step, kind, outcome, detail: detail.slice(0, 500) } };
}

/** After an unknown outcome or a stop, nobody but a person may move anything of this run. */
const mayMoveBack = (run: Run): boolean =>
  !run.touched && ![...run.steps.values(), ...run.halts.values()].some(({ status }) => status === "unknown");

/** The next compensation, in reverse order; the end when there is none left. */
export function whileCompensating(run: Run, nowUs: number): RunEvent[] {
  if (run.undoing) return [];
  const [step] = run.queue;
  const leaf = step === undefined ? undefined : run.plan.leaves.get(step);
  const axis = leaf?.spec.kind === "command" ? leaf.spec.axis : undefined;
  if (!leaf || step === undefined || axis === undefined) return [theEnd(run)];
  const { compensation } = leaf;
  switch (compensation.kind) {
    case "none":
      return [undoEnded(run, step, "skipped", "nothing to undo")];
    case "manual":
      return [undoEnded(run, step, "manual", "a person has to undo it")];
    case "return-to":
      if (!mayMoveBack(run))
        return [undoEnded(run, step, "skipped", "a stop or an unknown outcome: only a person may move it")];
      return [{ type: "RunCompensationOffered", data: { step } }, timerSet(`offer:${step}`, OFFER_LIMIT_MS, nowUs)];
    case "hold":
    case "stop":
      if (run.stopped.has(axis)) return [undoEnded(run, step, "done", `a stop is latched on axis ${axis}`)];
      return begun(run, step, compensation.kind, axis, compensation.deadlineMs, null, nowUs);
  }
}

function begun(
  run: Run,
  step: string,
  kind: EventData<"RunCompensationStarted">["kind"],
  axis: string,
  deadlineMs: number,
  by: string | null,
  nowUs: number,
): RunEvent[] {
  const command = kind === "stop" ? null : { axis, commandId: commandIdOf(run.runId, `undo:${step}`, 1) };
  return [
    ...(kind === "stop" ? [stopAsked(axis, `compensation of step ${step}`)] : []),
    { type: "RunCompensationStarted", data: { step, kind, command, by } },
    timerSet(`undo:${step}`, deadlineMs, nowUs),
  ];
}

const stopAsked = (axis: string, reason: string): RunEvent => ({
  type: "RunStopAsked",
  data: { axes: [axis], reason: reason.slice(0, 500) },
});

/** A person lets the offered motion go ahead. */
export function accepted(run: Run, by: string, nowUs: number): RunEvent[] {
  const step = run.undoing?.step ?? "";
  const leaf = run.plan.leaves.get(step);
  if (leaf?.spec.kind !== "command" || leaf.compensation.kind !== "return-to") return [];
  return begun(run, step, "return-to", leaf.spec.axis, leaf.compensation.deadlineMs, by, nowUs);
}

/** The command of the compensation has ended, or will not in time: what may still move is stopped. */
export function undoOver(run: Run, done: boolean, sent: boolean, detail: string): RunEvent[] {
  const { undoing } = run;
  if (!undoing) return [];
  const axis = undoing.command?.axis;
  const stop = !done && sent && axis !== undefined && !run.stopped.has(axis);
  return [...(stop ? [stopAsked(axis, detail)] : []), undoEnded(run, undoing.step, done ? "done" : "failed", detail)];
}

function theEnd(run: Run): RunEvent {
  const unknown = [...run.steps].find(([, { status }]) => status === "unknown")?.[0];
  const [outcome, reason]: readonly [RunOutcome, string] = run.touched
    ? ["held", "a stop, or the loss of control, touched it"]
    : unknown !== undefined
      ? ["held", `nobody knows how step ${unknown} ended`]
      : run.left
        ? ["held", "something is left to undo for a person"]
        : run.aborted
          ? ["aborted", "a person aborted it"]
          : run.compensated > 0
            ? ["compensated", "what had been done was undone"]
            : ["failed", "a step failed, and there was nothing to undo"];
  return { type: "RunEnded", data: { outcome, reason, problem: run.cause } };
}
