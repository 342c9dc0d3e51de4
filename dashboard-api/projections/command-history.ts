import {
  ACCEPTED_EVENTS,
  COMMAND_STATE_AFTER,
  type CommandState,
  endReason,
  streamSubject,
  TERMINAL_STATES,
  type TypedEvent,
} from "@servofleet/contracts";
import { NO_CHANGE, type Projection } from "../read-model/projection.ts";
import { type CommandRow, joinFrames } from "./command-row.ts";

/** Finished commands kept in memory; older ones are read from the projection's file. */
const COMMANDS_IN_MEMORY_MAX = 2000;

const transition = (state: CommandState, event: TypedEvent) => ({
  state,
  us: event.wallUs,
  position: event.position,
  eventId: event.id,
});

const withoutType = ({ type: _, ...rest }: Readonly<Record<string, unknown>>) => rest;

function firstRow(event: TypedEvent, commandId: string): CommandRow | null {
  const first = {
    commandId,
    axis: streamSubject(event.stream),
    outcomeUnknown: false,
    settled: null,
    finalError: null,
    reason: null,
    frames: [],
    firstUs: event.wallUs,
    firstPosition: event.position,
  };
  if (event.type === "CommandRejected") {
    const { commandType: type, request, principal, problem } = event.data;
    const transitions = [transition("rejected", event)];
    return {
      ...first,
      type,
      request: withoutType(request),
      principal,
      state: "rejected",
      target: null,
      problem,
      transitions,
    };
  }
  if (!isAcceptance(event)) return null;
  const { commandType: type, request, principal, target } = event.data;
  const transitions = [transition("accepted", event)];
  return {
    ...first,
    type,
    request: withoutType(request),
    principal,
    state: "accepted",
    target,
    problem: null,
    transitions,
  };
}

type Acceptance = Extract<TypedEvent, { type: "MoveAccepted" | "HomeAccepted" | "EnableAccepted" }>;
/** All acceptance events carry the same data. */
const isAcceptance = (event: TypedEvent): event is Acceptance => ACCEPTED_EVENTS.has(event.type);

/** The state part of a later event: the terminal state is reached once and never left. */
function moved(row: CommandRow, event: TypedEvent): CommandRow {
  const state = COMMAND_STATE_AFTER[event.type];
  if (state === undefined || TERMINAL_STATES.has(row.state)) return row;
  // Whatever state follows a timed-out write is known again: unknown only lasts while it is settled by reading.
  return { ...row, state, outcomeUnknown: false, transitions: [...row.transitions, transition(state, event)] };
}

/** What else the event tells about its command. */
function told(row: CommandRow, event: TypedEvent): CommandRow {
  switch (event.type) {
    case "DispatchUnknown":
      return TERMINAL_STATES.has(row.state) ? row : { ...row, outcomeUnknown: true };
    case "CommandSucceeded":
      return { ...row, finalError: event.data.finalError };
    case "CommandFailed":
      return { ...row, problem: event.data.problem };
    case "OutcomeSettled":
      return { ...row, settled: event.data.settled };
    default: {
      const reason = TERMINAL_STATES.has(row.state) && row.reason === null ? endReason(event) : null;
      return reason === null ? row : { ...row, reason };
    }
  }
}

/** Every command with its whole story, behind `GET /v1/commands`. */
export const commandHistory: Projection<CommandRow> = {
  name: "commands",
  version: 2,
  residentMax: COMMANDS_IN_MEMORY_MAX,
  filters: ["axis", "state"],
  rank: (row) => row.firstPosition,
  settled: (row) => TERMINAL_STATES.has(row.state),
  refersTo: (event) => (ACCEPTED_EVENTS.has(event.type) || event.type === "CommandRejected" ? null : event.commandId),
  project(rows, event) {
    const { commandId } = event;
    if (commandId === null || !event.stream.startsWith("axis-")) return NO_CHANGE;
    const row = rows.get(commandId);
    if (row === undefined) {
      const first = firstRow(event, commandId);
      return first ? [[commandId, first]] : NO_CHANGE;
    }
    const next = told(moved(row, event), event);
    const frames = "frames" in event.data ? joinFrames(next.frames, event.data.frames) : next.frames;
    return next === row && frames === row.frames ? NO_CHANGE : [[commandId, { ...next, frames }]];
  },
};
