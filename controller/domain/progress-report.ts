import { type DomainEvent, displayFromCounts, rfc3339 } from "@servofleet/contracts";
import { ofCommand } from "./axis-event.ts";
import { type Axis, isDispatched, isDriving, type OpenCommand, scaleOf } from "./axis-state.ts";
import { type Change, NO_CHANGE, type ReportOf } from "./report-change.ts";

type Progress = ReportOf<"order-sent" | "order-acknowledged" | "order-unknown" | "motion-started">;

/** A command on its way. Phases only go forward: what is older than what is known gives nothing. */
export function progressReport(report: Progress, axis: Axis): Change {
  const command = axis.open.get(report.commandId);
  if (!command || !isDispatched(command) || command.orderId === null) return NO_CHANGE;
  const events = progress(report, command, command.orderId, axis);
  return { events: events.map((event) => ofCommand(command.commandId, event)), seen: {} };
}

function progress(report: Progress, command: OpenCommand, orderId: string, axis: Axis): DomainEvent[] {
  const frames = [...report.frames];
  switch (report.type) {
    case "order-sent":
      return command.sent ? [] : [{ type: "CommandSent", data: { orderId, at: rfc3339(report.atUs), frames } }];
    case "order-acknowledged": {
      if (command.phase !== "dispatched" && !command.outcomeUnknown) return [];
      const { targetCounts, settledByReading } = report;
      return [{ type: "DispatchAcknowledged", data: { orderId, targetCounts, settledByReading, frames } }];
    }
    case "order-unknown": {
      // Motion that was seen has settled the write.
      if (command.outcomeUnknown || command.phase === "moving") return [];
      return [{ type: "DispatchUnknown", data: { orderId, problem: report.problem, frames } }];
    }
    case "motion-started": {
      if (command.phase === "moving" || !isDriving(command.type)) return [];
      const position = displayFromCounts(report.positionCounts, scaleOf(axis));
      const started: DomainEvent = { type: "MotionStarted", data: { position, frames } };
      if (!command.outcomeUnknown) return [started];
      // Seen moving by this order: the write whose outcome was unknown has been applied. Its target was not read back.
      const data = { orderId, targetCounts: null, settledByReading: true, frames: [] };
      return [{ type: "DispatchAcknowledged", data }, started];
    }
  }
}
