import { type CommandView, logPosition, problemDocument, rfc3339 } from "@servofleet/contracts";
import type { CommandRow } from "../projections/command-row.ts";

/** `GET /v1/commands/{id}`. */
export function commandView(row: CommandRow, logId: string): CommandView {
  return {
    commandId: row.commandId,
    axis: row.axis,
    type: row.type,
    request: { ...row.request },
    state: row.state,
    outcomeUnknown: row.outcomeUnknown,
    settled: row.settled,
    principal: row.principal,
    target: row.target,
    finalError: row.finalError,
    problem: row.problem && problemDocument(row.problem, `/v1/commands/${row.commandId}`, row.commandId),
    reason: row.reason,
    transitions: row.transitions.map(({ state, us, position, eventId }) => ({
      state,
      at: rfc3339(us),
      logPosition: logPosition(logId, position),
      eventId,
    })),
    frames: row.frames,
  };
}
