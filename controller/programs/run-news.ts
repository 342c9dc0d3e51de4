import {
  COMMAND_STATE_AFTER,
  type ProblemFacts,
  streamSubject,
  TERMINAL_STATES,
  type TypedEvent,
} from "@servofleet/contracts";
import type { CommandNews, RunInput } from "./decide-run.ts";
import type { Run } from "./run-state.ts";

const problem = (slug: ProblemFacts["slug"], detail: string): ProblemFacts => ({
  slug,
  detail: detail.slice(0, 500),
  remedy: "look at the axis and at the story of the command",
});

/** What an event of an axis, or of the box, means to a run. Pure. */
export function newsOf(event: TypedEvent, run: Run): readonly RunInput[] {
  if (event.type === "LeaseTaken" || event.type === "LeaseLapsed" || event.type === "LeaseReturned") {
    const by = event.type === "LeaseTaken" ? `control was taken over: ${event.data.reason}` : "control has ended";
    return event.data.leaseId === run.leaseId ? [{ type: "control-lost", by }] : [];
  }
  const axis = event.stream.startsWith("axis-") ? streamSubject(event.stream) : undefined;
  if (axis === undefined || !run.axes.includes(axis)) return [];
  const trouble = (inError: boolean, detail: string): RunInput => ({
    type: "trouble",
    axis,
    inError,
    problem: problem(inError ? "drive-fault" : "axis-not-ready", detail),
  });
  switch (event.type) {
    case "StopLatched":
      return [{ type: "stop", axis, by: event.data.reason }];
    case "StopConfirmed": {
      const { result } = event.data;
      const final = result === "acknowledged" || result === "failed";
      return final ? [{ type: "stop-confirmed", axis, done: result === "acknowledged" }] : [];
    }
    case "FaultRaised":
      return [trouble(true, `axis ${axis} is in error-stop: ${event.data.fault.code} ${event.data.fault.name}`)];
    case "AxisWentOffline":
      return [trouble(false, `axis ${axis} does not answer: ${event.data.reason}`)];
    case "UnexpectedMotionSeen":
      return [trouble(false, `axis ${axis} moves without a command of ours`)];
    case "ReconcileRequired":
      return [trouble(false, `axis ${axis} waits for a person: ${event.data.reason}`)];
    default:
      return commandNews(event);
  }
}

function commandNews(event: TypedEvent): readonly RunInput[] {
  const { commandId, type } = event;
  const state = COMMAND_STATE_AFTER[type];
  if (commandId === null || state === undefined) return [];
  if (state === "moving") return [{ type: "command", commandId, news: "moving", problem: null }];
  if (!TERMINAL_STATES.has(state)) return [];
  const ended = (news: CommandNews, why: ProblemFacts | null): readonly RunInput[] => [
    { type: "command", commandId, news, problem: why },
  ];
  switch (event.type) {
    case "CommandSucceeded":
      return ended("succeeded", null);
    case "CommandRejected":
      return ended("rejected", event.data.problem);
    case "CommandFailed":
      return ended("failed", event.data.problem);
    case "CommandStopped":
      return ended("stopped", problem("run-not-ready", `its command was stopped by ${event.data.by}`));
    case "CommandIndeterminate":
      return ended("indeterminate", problem("bus-timeout", `nobody knows: ${event.data.reason}`));
    case "CommandExpired":
      return ended("failed", problem("deadline-passed", `its command was not sent in time: ${event.data.reason}`));
    default:
      return ended("failed", problem("run-not-ready", `its command was ${state}`));
  }
}
