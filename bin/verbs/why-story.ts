import {
  type AxisView,
  type CloudEvent,
  type CommandView,
  type EventData,
  type EventType,
  parseRfc3339,
} from "@servofleet/contracts";
import { figure } from "./output.ts";

/** Every line begins with a word as wide as this, so that a person finds the place. */
const LABEL_WIDTH = 11;
const line = (label: string, text: string): string => `${label.padEnd(LABEL_WIDTH)}${text}`;

/** The whole story of a command as text, cause first: who, what it saw, the log, the orders, the wire, the end. Pure. */
export function commandStory(command: CommandView, events: readonly CloudEvent[], axisBefore: AxisView | null): string {
  const { commandId, type, axis, state, outcomeUnknown, principal, request, settled } = command;
  const unknown = outcomeUnknown ? " (outcome unknown, being settled by reading)" : "";
  return [
    `${type} ${commandId} on ${axis}: ${state}${unknown}`,
    line("asked by", `${principal}: ${JSON.stringify(request)}`),
    ...causes(commandId, events[0]),
    ...decision(command, events[0]),
    ...(axisBefore ? [line("saw", sawLine(axisBefore))] : []),
    "log",
    ...logLines(events),
    "orders",
    ...indented(orderLines(events), "none was given"),
    "wire",
    ...indented(
      command.frames.map(({ at, direction, hex }) => `${at}  ${direction}  ${spaced(hex)}`),
      "nothing was sent",
    ),
    ending(command, dataOf(events, "CommandSucceeded")[0]),
    ...(settled === null ? [] : [line("settled", settled)]),
  ].join("\n");
}

const indented = (lines: readonly string[], none: string): string[] =>
  (lines.length > 0 ? lines : [none]).map((text) => `  ${text}`);
const spaced = (hex: string): string => hex.replace(/(..)(?=.)/g, "$1 ");
const typeName = (event: CloudEvent): string => event.type.replace(/^servofleet\.(.+)\.v\d+$/, "$1");
const dataOf = <T extends EventType>(events: readonly CloudEvent[], type: T): EventData<T>[] =>
  events.filter((event) => typeName(event) === type).map((event) => event.data as unknown as EventData<T>);

/** What the request itself was a part of. */
function causes(commandId: string, first: CloudEvent | undefined): string[] {
  if (!first) return [];
  const { correlationid, causationid, traceparent } = first;
  return [
    ...(correlationid === commandId ? [] : [line("part of", correlationid)]),
    ...(causationid === null || causationid === undefined ? [] : [line("caused by", causationid)]),
    ...(traceparent === null || traceparent === undefined ? [] : [line("traced as", traceparent)]),
  ];
}

function decision(command: CommandView, first: CloudEvent | undefined): string[] {
  const { axis, state, problem } = command;
  if (state === "rejected") return problem ? [line("decided", `no: ${problem.title}`)] : [];
  // Every acceptance has the same fields.
  const { sawState, sawVersion, target, targetCounts, velocity, acceleration, ttlMs } = (first?.data ?? {}) as Partial<
    EventData<"MoveAccepted">
  >;
  if (sawState === undefined) return [];
  const goal = `target ${figure(target ?? null)} (${figure(targetCounts ?? null)} counts)`;
  const limits = [
    ...(velocity == null ? [] : [`velocity ${figure(velocity)}`]),
    ...(acceleration == null ? [] : [`acceleration ${figure(acceleration)}`]),
    ...(ttlMs === undefined ? [] : [`to be started within ${ttlMs} ms`]),
  ];
  return [
    line("decided", `seeing ${axis} in ${sawState}, version ${sawVersion}; ${goal}`),
    ...(limits.length > 0 ? [line("with", limits.join(", "))] : []),
  ];
}

function sawLine(axis: AxisView): string {
  return [
    axis.state,
    `position ${figure(axis.measured.position, axis.unitName)}`,
    axis.homed ? "homed" : "not homed",
    axis.stopLatched ? "stop latched" : "no stop latched",
    axis.fault ? `fault ${axis.fault.name} (${axis.fault.code})` : "no fault",
    ...(axis.reconcileRequired ? ["a person has to reconcile"] : []),
    ...(axis.currentCommand === null ? [] : [`busy with ${axis.currentCommand}`]),
  ].join(", ");
}

/** Each event with its position and how long after the decision it was recorded. */
function logLines(events: readonly CloudEvent[]): string[] {
  const startUs = parseRfc3339(events[0]?.time ?? "") ?? 0;
  return events.map((event) => {
    const sinceMs = ((parseRfc3339(event.time) ?? startUs) - startUs) / 1000;
    const since = `+${sinceMs.toFixed(1)} ms`.padStart(12);
    return `  ${event.logposition}  ${event.time}  ${since}  ${event.type.replace(/^servofleet\./, "")}`;
  });
}

/** What the bridge was told, and what came back. */
function orderLines(events: readonly CloudEvent[]): string[] {
  const sent = dataOf(events, "CommandSent");
  const acknowledged = dataOf(events, "DispatchAcknowledged");
  const unknown = dataOf(events, "DispatchUnknown");
  return dataOf(events, "DispatchStarted").map(({ orderId, stopGeneration, targetCounts }) => {
    const of = <D extends { orderId: string }>(all: readonly D[]) => all.find((data) => data.orderId === orderId);
    const reply = of(acknowledged);
    const doubt = of(unknown);
    return [
      `${orderId}: ${targetCounts === null ? "no target" : `${targetCounts} counts`}, stop generation ${stopGeneration}`,
      of(sent) ? `first byte ${of(sent)?.at}` : "no byte left",
      ...(doubt ? [`unknown: ${doubt.problem.detail}`] : []),
      ...(reply ? [reply.settledByReading ? "found done by reading" : "acknowledged by the drive"] : []),
    ].join("; ");
  });
}

function ending(command: CommandView, done: EventData<"CommandSucceeded"> | undefined): string {
  const { problem, state, finalError, reason } = command;
  if (problem) return line("ended", `${problem.title}: ${problem.detail}; ${problem.remedy}`);
  if (state !== "succeeded") return line("now", `${state}${reason === null ? "" : `: ${reason}`}`);
  const error = finalError === null ? "" : `, final error ${figure(finalError)}`;
  const position = done?.finalPosition == null ? "" : ` at ${figure(done.finalPosition)}`;
  const summary = done?.summary;
  const motion = summary
    ? `; ${figure(summary.durationMs)} ms, peak velocity ${figure(summary.peakVelocity)}, peak following error ${figure(summary.peakFollowingError)}, ${summary.samples} samples`
    : "";
  return line("confirmed", `by measurement${error}${position}${motion}`);
}
