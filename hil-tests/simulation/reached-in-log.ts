import { type RecordedEvent, typed } from "@servofleet/contracts";
import type { Evidence } from "./law-evidence.ts";
import type { RareState } from "./rare-state.ts";
import { recordedMs, type ToldCommand } from "./told-command.ts";

/** The rare states that the log and the clients' own notes show. Pure. */
export function reachedInLog(evidence: Evidence): Set<RareState> {
  const reached = new Set<RareState>();
  for (const event of evidence.log) for (const state of ofEvent(event)) reached.add(state);
  for (const command of evidence.commands) for (const state of ofCommand(command, evidence)) reached.add(state);
  for (const state of ofAnswers(evidence)) reached.add(state);
  if (successorFoundMotion(evidence.log)) reached.add("successor bridge found an axis moving");
  return reached;
}

function ofEvent(recorded: RecordedEvent): RareState[] {
  const event = typed(recorded);
  switch (event.type) {
    case "DispatchUnknown":
      return ["write went without answer"];
    case "DispatchAcknowledged":
      return event.data.settledByReading ? ["lost answer of a decisive write settled by reading"] : [];
    case "CommandIndeterminate":
      return ["outcome never known: indeterminate"];
    case "UnexpectedMotionSeen":
      return ["motion that nobody ordered was stopped"];
    case "AxisReconciled":
      return ["a person reconciled an axis"];
    case "LeaseTaken":
      return ["lease taken over"];
    case "StopLatched":
      return ofStop(event.data);
    case "CommandExpired":
      return ["command expired before it was sent"];
    case "CommandCancelled":
      return ["command cancelled before it was sent"];
    case "RecoveryCompleted":
      return event.data.axes.flatMap(({ finding, action }) => ofFinding(finding, action));
    default:
      return [];
  }
}

function ofStop({ principal, reason }: { principal: string; reason: string }): RareState[] {
  if (reason === "lapse") return ["lease lapsed while its axis moved"];
  return principal === "bridge" && reason === "controller-lost"
    ? ["bridge stopped an axis because its controller was not heard"]
    : [];
}

function ofFinding(finding: string, action: string): RareState[] {
  if (finding === "moving" && action === "stop") return ["axis found moving at a restart and stopped"];
  const settled = action.includes("inferred") || action === "stopped" || action === "indeterminate";
  return settled ? ["command found open at a restart and settled by reading"] : [];
}

function ofCommand({ id, axis, accepted, events, ends, epoch }: ToldCommand, { book, log }: Evidence): RareState[] {
  const states: RareState[] = [];
  const has = (type: string): RecordedEvent | undefined => events.find((event) => event.type === type);
  const moved = has("MotionStarted");
  const [end] = ends;
  const wentOffline = log.some(
    (event) =>
      event.type === "AxisWentOffline" &&
      event.stream === `axis-${axis}` &&
      event.position > (events[0]?.position ?? 0) &&
      event.position < (end?.position ?? 0),
  );
  if (accepted && wentOffline) states.push("axis went off line while a command was open");
  if (moved && end?.type === "CommandSuperseded") states.push("move overtaken by another while it ran");
  if (moved && end && typed(end).type === "CommandStopped") {
    const { by } = end.data as { by: string };
    if (/button|jog|window|let go/i.test(by)) states.push("held button let go or lost while the axis moved");
  }
  const dispatched = has("DispatchStarted");
  const target = accepted?.targetCounts ?? null;
  if (
    !dispatched ||
    target === null ||
    end === undefined ||
    end.epoch === epoch ||
    has("DispatchAcknowledged")?.epoch === epoch
  )
    return states;
  const sentMs = book.firstCarrying(axis, target, recordedMs(dispatched));
  states.push(
    sentMs === undefined
      ? "controller killed between DispatchStarted and the first byte"
      : "controller killed between the first byte and the acknowledgement",
  );
  void id;
  return states;
}

function ofAnswers({ history, commands, idOf }: Evidence): RareState[] {
  const known = new Map(commands.map((command) => [command.id, command]));
  return history.wishes.flatMap(({ key, attempts }): RareState[] => {
    const [first] = attempts;
    const command = known.get(idOf(key));
    if (first?.answer !== "none") return [];
    if (!command) return ["command lost before it was recorded, and its client was told nothing"];
    const later = attempts.some(({ replayed }) => replayed);
    return later
      ? [
          "command recorded, but its client never heard",
          "same key asked again after a crash, and answered as the first time",
        ]
      : ["command recorded, but its client never heard"];
  });
}

/** A bridge that is not the first one under its controller, and a stop for what had been moving. */
function successorFoundMotion(log: readonly RecordedEvent[]): boolean {
  let bridges = 0;
  for (const recorded of log) {
    const event = typed(recorded);
    if (event.type === "BoxStarted") bridges = 0;
    if (event.type === "BridgeStarted") bridges++;
    if (bridges > 0 && event.type === "StopLatched" && event.data.reason === "restart-recovery") return true;
  }
  return false;
}
