import type { AxisStatus, DomainEvent, EventData, ProblemFacts, Report, SettleRequest } from "@servofleet/contracts";
import { type AxisEvent, ofCommand } from "./axis-event.ts";
import { type Axis, isDispatched, isDriving, type OpenCommand } from "./axis-state.ts";
import { indeterminate } from "./end-report.ts";
import { problem } from "./refusal.ts";
import { errorOf, shownAt } from "./report-change.ts";
import { withStateChange } from "./state-change.ts";
import { statusReport } from "./status-report.ts";

export type Settled = Extract<Report, { type: "settled" }>;

export interface StartRecovery {
  readonly events: readonly AxisEvent[];
  /** Commands to settle by reading once the axis was read twice. */
  readonly settle: readonly Pick<SettleRequest, "commandId" | "targetCounts">[];
}

/**
 * Once per boot, after the fold and before anything else: what was only accepted expires, a write whose outcome was
 * open ends indeterminate, and nothing counts as known until it has been read again. Nothing is ever sent again.
 */
export function recoverAtStart(axis: Axis): StartRecovery {
  const open = [...axis.open.values()];
  const events = open.flatMap((command) => endedByRestart(command));
  if (axis.offlineReason === null) {
    events.push({ event: { type: "AxisWentOffline", data: { reason: "not read since the start" } } });
  }
  const settle = open
    .filter((command) => isDispatched(command) && !command.outcomeUnknown)
    .map(({ commandId, targetCounts }) => ({ commandId, targetCounts }));
  return { events: withStateChange(axis, events), settle };
}

function endedByRestart(command: OpenCommand): AxisEvent[] {
  if (!isDispatched(command)) {
    const reason = "the controller restarted before it was sent";
    return [ofCommand(command.commandId, { type: "CommandExpired", data: { reason, frames: [] } })];
  }
  return command.outcomeUnknown
    ? indeterminate(command, "the controller restarted while it was being settled", [])
    : [];
}

export interface RecoveryDecision {
  readonly events: readonly AxisEvent[];
  /** Send a stop and record it by `raiseStop`: `restart-recovery` for a settled command, else `unexpected-motion`. */
  readonly stop: boolean;
  /** Ask `settle` again when the axis next stands: policy `observe`. */
  readonly watch: boolean;
  /** For `RecoveryCompleted`, in words. */
  readonly finding: string;
  readonly action: string;
}

/** What the table says of one command, before what the reading shows beside it. */
interface Verdict {
  readonly events: readonly AxisEvent[];
  readonly stop?: boolean;
  readonly watch?: boolean;
  readonly action: string;
}

/** The recovery table: one open command by what reading shows, or an axis with nothing pending by its status. */
export function decideRecovery(axis: Axis, found: Settled | AxisStatus): RecoveryDecision {
  const status = "type" in found ? found.status : found;
  const shown = statusReport(status, axis);
  const command = "type" in found ? axis.open.get(found.commandId) : undefined;
  const verdict =
    "type" in found && command && isDispatched(command)
      ? commandVerdict(axis, command, found)
      : idleVerdict(axis, status);
  const { action, stop = false, watch = false } = verdict;
  return {
    events: withStateChange(axis, [...shown.events, ...verdict.events], shown.seen),
    stop,
    watch,
    finding: "type" in found ? found.finding : statusWords(status),
    action,
  };
}

const statusWords = (status: AxisStatus): string => {
  if (!status.online) return "silent";
  if (status.fault) return "fault";
  return status.moving ? "moving" : "standing";
};

/** Nothing of ours on the wire: motion is foreign and is stopped (also by a stop that a former life had latched). */
function idleVerdict(axis: Axis, status: AxisStatus): Verdict {
  if (!status.online) return { events: [], action: "none: it comes back by itself" };
  const pending = axis.open.values().some((command) => isDriving(command.type) && isDispatched(command));
  if (!status.moving || !status.enabled || pending) return { events: [], action: "none" };
  // The status report of the same reading may have said so already, or says so in this batch.
  return { events: [], stop: true, action: "stop" };
}

function commandVerdict(axis: Axis, command: OpenCommand, found: Settled): Verdict {
  if (found.finding === "silent" || !found.status.online) {
    return openOutcome(command, found, "the drive did not answer after the restart");
  }
  if (hasHappened(command, found, axis)) return inferred(axis, command, found);
  switch (found.finding) {
    case "moving":
      return movingVerdict(axis, command, found);
    case "fault":
      return { events: [failedBy(axis, command, found)], action: "failed" };
    case "in-position":
    case "standing-elsewhere":
      return standingVerdict(axis, command, found);
  }
}

/** What the reading alone proves. */
function hasHappened(command: OpenCommand, { finding, status }: Settled, axis: Axis): boolean {
  switch (command.type) {
    case "Enable":
      return status.enabled;
    case "Disable":
      return !status.enabled;
    case "Reset":
      return status.fault === null;
    case "Home":
      // A reference that was there before proves nothing.
      return status.homed && !axis.homed && !status.moving && status.fault === null;
    case "MoveAbsolute":
    case "MoveRelative":
      return finding === "in-position";
    case "Halt":
      return finding === "in-position" || finding === "standing-elsewhere";
    case "MoveVelocity":
    case "SetPosition":
    case "WriteParameter":
      return false;
  }
}

function inferred(axis: Axis, command: OpenCommand, found: Settled): Verdict {
  const finalPosition = shownAt(axis, found.status.positionCounts);
  const finalError = errorOf(axis, finalPosition, command.target);
  const data: EventData<"CommandSucceeded"> = { finalPosition, finalError, summary: null, frames: [...found.frames] };
  return { events: [ofCommand(command.commandId, { type: "CommandSucceeded", data })], action: "succeeded (inferred)" };
}

function openOutcome(command: OpenCommand, found: Settled, reason: string): Verdict {
  return { events: indeterminate(command, reason, [...found.frames]), action: "indeterminate" };
}

/**
 * Default is a controlled stop; the stop ends the command. `observe` needs a command that the drive had confirmed, else
 * the motion may be another's, and one that ends by itself, since a bridge that started anew watches no limit for it.
 */
function movingVerdict(axis: Axis, command: OpenCommand, found: Settled): Verdict {
  if (!isDriving(command.type)) {
    const driving = axis.open.values().some((other) => isDriving(other.type) && isDispatched(other));
    return { ...openOutcome(command, found, "the axis was found moving after the restart"), stop: !driving };
  }
  const observed =
    axis.config.onRestartMoving === "observe" && command.phase !== "dispatched" && command.type !== "MoveVelocity";
  if (!observed) return { events: [], stop: true, action: "stop" };
  const reason = `${command.type} ${command.commandId} was found moving after a restart and is being observed`;
  const required: DomainEvent = { type: "ReconcileRequired", data: { reason } };
  return { events: axis.reconcileRequired ? [] : [{ event: required }], watch: true, action: "observe" };
}

function failedBy(axis: Axis, command: OpenCommand, { status, frames }: Settled): AxisEvent {
  const { fault } = status;
  const facts: ProblemFacts = fault
    ? problem("drive-fault", `the drive shows ${fault.code} ${fault.name} after the restart`, fault.remedy)
    : problem("drive-fault", "the drive shows a fault after the restart", "read the drive's display, then send Reset");
  const finalPosition = shownAt(axis, status.positionCounts);
  return ofCommand(command.commandId, {
    type: "CommandFailed",
    data: { problem: facts, finalPosition, frames: [...frames] },
  });
}

/** Standing away from its target. Confirmed by the drive: it was interrupted. Never confirmed: nobody knows. */
function standingVerdict(axis: Axis, command: OpenCommand, found: Settled): Verdict {
  if (!isDriving(command.type) || command.phase === "dispatched") {
    return openOutcome(command, found, "nothing shows that the drive had confirmed it");
  }
  const finalPosition = shownAt(axis, found.status.positionCounts);
  const by = "restart: found standing away from its target";
  const stopped: DomainEvent = { type: "CommandStopped", data: { by, finalPosition, frames: [...found.frames] } };
  return { events: [ofCommand(command.commandId, stopped)], action: "stopped" };
}
