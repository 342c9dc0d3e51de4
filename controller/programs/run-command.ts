import {
  type AxisId,
  type Command,
  type CommandId,
  type CommandRequest,
  TTL_DEFAULT_MS,
  TTL_MIN_MS,
} from "@servofleet/contracts";
import { fingerprint } from "../inbox/fingerprint.ts";
import type { Run, RunCommand, RunEvent } from "./run-state.ts";

const HALT: CommandRequest = { type: "Halt" };

function requestOf(run: Run, step: string): CommandRequest | undefined {
  const spec = run.plan.leaves.get(step)?.spec;
  return spec?.kind === "command" ? spec.command : undefined;
}

function undoRequest(run: Run, step: string): CommandRequest {
  const compensation = run.plan.leaves.get(step)?.compensation;
  if (compensation?.kind !== "return-to") return HALT;
  const { position, velocity } = compensation;
  return { type: "MoveAbsolute", position, ...(velocity === undefined ? {} : { velocity }) };
}

/** The time to start of a command of a step that may take so long, ms. */
const ttlOf = (deadlineMs: number | undefined): number =>
  Math.max(TTL_MIN_MS, Math.min(deadlineMs ?? TTL_DEFAULT_MS, TTL_DEFAULT_MS));

/** The commands that go into the log together with these events of the run. */
export function commandsOf(run: Run, events: readonly RunEvent[], nowMs: number): readonly Command[] {
  const make = ({ axis, commandId }: RunCommand, request: CommandRequest, deadlineMs?: number): Command => ({
    commandId: commandId as CommandId,
    axis: axis as AxisId,
    request,
    principal: `run:${run.runId}`,
    fingerprint: fingerprint("RUN", `${run.runId}/${commandId}`, request),
    receivedAtMs: nowMs,
    ttlMs: request.ttlMs ?? ttlOf(deadlineMs),
  });
  return events.flatMap((event) => {
    switch (event.type) {
      case "RunStepStarted": {
        const { step, command } = event.data;
        const spec = run.plan.leaves.get(step)?.spec;
        const request = requestOf(run, step);
        return command && request && spec?.kind === "command" ? [make(command, request, spec.deadlineMs)] : [];
      }
      case "RunHalting":
        return event.data.commands.map((command) => make(command, HALT));
      case "RunCompensationStarted": {
        const { step, command } = event.data;
        return command ? [make(command, undoRequest(run, step))] : [];
      }
      default:
        return [];
    }
  });
}
