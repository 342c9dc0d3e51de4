import {
  COMMAND_FRAMES_MAX_BYTES,
  COMMAND_STATE_AFTER,
  type CommandState,
  type CommandType,
  type CommandView,
  endReason,
  type Frame,
  logPosition,
  type ProblemFacts,
  problemDocument,
  type RecordedEvent,
  rfc3339,
  streamSubject,
  typed,
} from "@servofleet/contracts";
import { assert } from "@servofleet/runtime/assert";

interface Told {
  type: CommandType;
  request: Record<string, unknown>;
  principal: string;
  target: number | null;
}

/** The story of one command from its events, in their order. Undefined when they do not begin with its decision. */
export function commandView(events: readonly RecordedEvent[], logId: string): CommandView | undefined {
  const first = events[0];
  const told = first && toldBy(first);
  if (!first || !told) return undefined;
  const transitions = events.flatMap((event) => {
    const state = COMMAND_STATE_AFTER[event.type];
    const at = rfc3339(event.wallUs);
    return state ? [{ state, at, logPosition: logPosition(logId, event.position), eventId: event.id }] : [];
  });
  const state: CommandState | undefined = transitions.at(-1)?.state;
  assert(state !== undefined, `command ${first.id} has no state`);
  const problem = events.reduce<ProblemFacts | null>((found, event) => problemOf(event) ?? found, null);
  const { type, request, principal, target } = told;
  return {
    commandId: first.id,
    axis: streamSubject(first.stream),
    type,
    request,
    state,
    outcomeUnknown: isUnknown(events),
    settled: settledOf(events),
    principal,
    target,
    finalError: finalErrorOf(events),
    problem: problem && problemDocument(problem, `/v1/commands/${first.id}`, first.id),
    reason: events.reduce<string | null>((found, event) => found ?? endReason(typed(event)), null),
    transitions,
    frames: keptFrames(events.flatMap(framesOf)),
  };
}

function toldBy(recorded: RecordedEvent): Told | undefined {
  const { data } = typed(recorded);
  if (!("commandType" in data)) return undefined;
  const { commandType: type, request, principal } = data;
  return { type, request, principal, target: "target" in data ? data.target : null };
}

function problemOf(recorded: RecordedEvent): ProblemFacts | null {
  const event = typed(recorded);
  return event.type === "CommandRejected" || event.type === "CommandFailed" ? event.data.problem : null;
}

/** From a timed-out write until something is known of it again. */
function isUnknown(events: readonly RecordedEvent[]): boolean {
  const unknown = events.findLastIndex(({ type }) => type === "DispatchUnknown");
  return unknown >= 0 && !events.slice(unknown).some(({ type }) => COMMAND_STATE_AFTER[type] !== undefined);
}

function settledOf(events: readonly RecordedEvent[]): string | null {
  const event = events.map(typed).findLast(({ type }) => type === "OutcomeSettled");
  return event?.type === "OutcomeSettled" ? event.data.settled : null;
}

function finalErrorOf(events: readonly RecordedEvent[]): number | null {
  const event = events.map(typed).findLast(({ type }) => type === "CommandSucceeded");
  return event?.type === "CommandSucceeded" ? event.data.finalError : null;
}

function framesOf(recorded: RecordedEvent): readonly Frame[] {
  const { data } = typed(recorded);
  return "frames" in data ? data.frames : [];
}

/** At most COMMAND_FRAMES_MAX_BYTES: the beginning and the very last stay. */
function keptFrames(frames: readonly Frame[]): readonly Frame[] {
  const bytes = (frame: Frame): number => frame.hex.length / 2;
  const last = frames.at(-1);
  if (!last) return [];
  const kept: Frame[] = [];
  let room = COMMAND_FRAMES_MAX_BYTES - bytes(last);
  for (const frame of frames.slice(0, -1)) {
    room -= bytes(frame);
    if (room < 0) break;
    kept.push(frame);
  }
  return [...kept, last];
}
