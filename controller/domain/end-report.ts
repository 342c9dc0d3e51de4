import {
  type DomainEvent,
  type EventData,
  MOTION_COMMANDS,
  type MotionSummary,
  unitsFromCountRate,
} from "@servofleet/contracts";
import { type AxisEvent, ofCommand } from "./axis-event.ts";
import { type Axis, isDispatched, isDriving, type OpenCommand, scaleOf } from "./axis-state.ts";
import { drivingCommand } from "./plcopen-state.ts";
import { cut } from "./refusal.ts";
import { type Change, errorOf, NO_CHANGE, type ReportOf, shownAt } from "./report-change.ts";
import type { Seen } from "./state-change.ts";

type End = ReportOf<"order-refused" | "order-unsettled" | "order-done" | "order-failed" | "order-aborted">;

/** The one end of a command. Whoever has ended already stays as it ended. */
export function endReport(report: End, axis: Axis): Change {
  const command = axis.open.get(report.commandId);
  if (!command || !isDispatched(command)) return NO_CHANGE;
  switch (report.type) {
    case "order-refused":
      return {
        events: [ofCommand(command.commandId, refusedEnd(report, command, axis)), ...leftRunning(command, axis)],
        seen: {},
      };
    case "order-unsettled":
      return { events: indeterminate(command, report.problem.detail, [...report.frames]), seen: {} };
    case "order-done":
      return done(report, command, axis);
    case "order-failed":
      return failed(report, command, axis);
    case "order-aborted":
      return aborted(report, command, axis);
  }
}

/** Refused before its first byte: nothing was sent. */
function refusedEnd(report: ReportOf<"order-refused">, command: OpenCommand, axis: Axis): DomainEvent {
  const { reason, problem } = report;
  switch (reason) {
    case "expired":
      return { type: "CommandExpired", data: { reason: problem.detail, frames: [] } };
    case "stale-generation":
      return { type: "CommandStopped", data: { by: "Stop", finalPosition: null, frames: [] } };
    case "superseded":
      return { type: "CommandSuperseded", data: { by: newerThan(command, axis), frames: [] } };
    case "cancelled":
      return { type: "CommandCancelled", data: { by: "bridge", frames: [] } };
    case "stale-epoch":
    case "stale-lease":
    case "axis-offline":
    case "link-down":
    case "not-ready":
    case "unsupported":
    case "queue-full":
      return { type: "CommandFailed", data: { problem, finalPosition: null, frames: [] } };
  }
}

/** Who aborted it, as far as this axis knows: the newest motion. */
function newerThan(command: OpenCommand, axis: Axis): string {
  const newer = [...axis.open.values()].filter(
    (other) => MOTION_COMMANDS.has(other.type) && other.acceptedVersion > command.acceptedVersion,
  );
  return newer.at(-1)?.commandId ?? "another motion";
}

/**
 * A motion that came to nothing had superseded the one before it, which may still run on and belongs to nobody now:
 * said aloud, so that it is stopped.
 */
function leftRunning(command: OpenCommand, axis: Axis): AxisEvent[] {
  const own = command.phase === "moving";
  if (own || !axis.moving || axis.stopLatched || axis.unexpectedMotion || !MOTION_COMMANDS.has(command.type)) return [];
  return [{ event: { type: "UnexpectedMotionSeen", data: { position: null } } }];
}

/** Nobody can say whether it was applied: a person settles what could move. */
export function indeterminate(
  command: OpenCommand,
  reason: string,
  frames: EventData<"CommandIndeterminate">["frames"],
): AxisEvent[] {
  const ended = ofCommand(command.commandId, {
    type: "CommandIndeterminate",
    data: { reason: cut(reason), frames },
  });
  if (!MOTION_COMMANDS.has(command.type)) return [ended];
  const open = cut(`the outcome of ${command.type} ${command.commandId} is open: ${reason}`);
  return [ended, { event: { type: "ReconcileRequired", data: { reason: open } } }];
}

function done(report: ReportOf<"order-done">, command: OpenCommand, axis: Axis): Change {
  const finalPosition = shownAt(axis, report.positionCounts);
  const finalError = errorOf(axis, finalPosition, command.target);
  const summary = report.summary && summaryInUnits(report.summary, axis);
  const succeeded = ofCommand(command.commandId, {
    type: "CommandSucceeded",
    data: { finalPosition, finalError, summary, frames: [...report.frames] },
  });
  return {
    events: [...endedBy(command, axis, finalPosition), ...cleared(command, axis), succeeded],
    seen: { ...seenWhenDone(command), positionCounts: report.positionCounts },
  };
}

/** A Halt or Disable that is done has ended whatever it found under way and the bridge has not spoken of yet. */
function endedBy(command: OpenCommand, axis: Axis, finalPosition: number | null): AxisEvent[] {
  if (command.type !== "Halt" && command.type !== "Disable") return [];
  const older = [...axis.open.values()].filter(
    (other) => isDriving(other.type) && isDispatched(other) && other.acceptedVersion < command.acceptedVersion,
  );
  return older.map((other) =>
    ofCommand(
      other.commandId,
      { type: "CommandStopped", data: { by: command.type, finalPosition, frames: [] } },
      command.commandId,
    ),
  );
}

/** Reset through the drive: the fault is gone; the latch goes with it unless a newer stop has come. */
function cleared(command: OpenCommand, axis: Axis): AxisEvent[] {
  if (command.type !== "Reset") return [];
  const events: AxisEvent[] = [];
  if (axis.fault) events.push(ofCommand(command.commandId, { type: "FaultCleared", data: { fault: axis.fault } }));
  if (axis.stopLatched && axis.stopGeneration === command.stopGeneration) {
    const { stopGeneration } = axis;
    events.push(ofCommand(command.commandId, { type: "LatchReleased", data: { stopGeneration } }));
  }
  return events;
}

function seenWhenDone(command: OpenCommand): Seen {
  switch (command.type) {
    case "Enable":
      return { enabled: true };
    case "Disable":
      return { enabled: false };
    case "Home":
      return { homed: true };
    case "Reset":
      // CiA 402 takes a fault reset only after the fault reaction has ended.
      return { moving: false };
    case "MoveAbsolute":
    case "MoveRelative":
    case "MoveVelocity":
    case "Halt":
    case "SetPosition":
    case "WriteParameter":
      return {};
  }
}

function summaryInUnits(summary: MotionSummary, axis: Axis): NonNullable<EventData<"CommandSucceeded">["summary"]> {
  const scale = scaleOf(axis);
  const following = summary.peakFollowingErrorCounts;
  return {
    durationMs: summary.durationMs,
    peakVelocity: unitsFromCountRate(summary.peakVelocityCountsPerS, scale),
    peakFollowingError: following === null ? null : unitsFromCountRate(following, scale),
    samples: summary.samples,
  };
}

const limitReached = (axis: Axis, limit: string, positionCounts: number | null): AxisEvent => ({
  event: { type: "LimitReached", data: { limit, position: shownAt(axis, positionCounts) } },
});

function failed(report: ReportOf<"order-failed">, command: OpenCommand, axis: Axis): Change {
  const { problem, positionCounts } = report;
  const finalPosition = shownAt(axis, positionCounts);
  const ended = ofCommand(command.commandId, {
    type: "CommandFailed",
    data: { problem, finalPosition, frames: [...report.frames] },
  });
  const limit = problem.slug === "limit-reached" ? [limitReached(axis, cut(problem.detail), positionCounts)] : [];
  // After a fault the drive brings the axis to rest by itself.
  const faulted = problem.slug === "drive-fault" || problem.slug === "following-error";
  const left = faulted ? [] : leftRunning(command, axis);
  return { events: [ended, ...limit, ...left], seen: { positionCounts } };
}

function aborted(report: ReportOf<"order-aborted">, command: OpenCommand, axis: Axis): Change {
  const { by, detail, positionCounts } = report;
  const frames = [...report.frames];
  const finalPosition = shownAt(axis, positionCounts);
  const event: DomainEvent =
    by === "motion"
      ? { type: "CommandSuperseded", data: { by: newerThan(command, axis), frames } }
      : { type: "CommandStopped", data: { by: cut(abortWords(by, detail)), finalPosition, frames } };
  const events = [ofCommand(command.commandId, event)];
  if (by === "limit") events.push(limitReached(axis, cut(detail), positionCounts));
  // It was under way, so the axis still runs down until a reading shows it standing, unless somebody drives it on.
  const lastDriver = drivingCommand(axis)?.commandId === command.commandId;
  return {
    events,
    seen: isDriving(command.type) && lastDriver ? { moving: true, positionCounts } : { positionCounts },
  };
}

function abortWords(by: Exclude<ReportOf<"order-aborted">["by"], "motion">, detail: string): string {
  const names = { halt: "Halt", stop: "Stop", limit: "limit", policy: "policy", disable: "Disable" } as const;
  return detail === "" ? names[by] : `${names[by]}: ${detail}`;
}
