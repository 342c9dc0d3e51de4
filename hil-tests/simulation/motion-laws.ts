import type { AxisId } from "@servofleet/contracts";
import type { Broken, Evidence } from "./law-evidence.ts";
import { type BookedMotion, STARTS } from "./motion-book.ts";
import { recordedMs, type ToldCommand } from "./told-command.ts";

/** A handshake of some frames, each with its time-out: its last frame may leave so long after the first, ms. */
const HANDSHAKE_MS = 400;
/** The drives' own windows are not wider. */
const WINDOW_COUNTS = 100;
/** Ends that say that nothing was sent. */
const UNSENT: ReadonlySet<string> = new Set(["CommandExpired", "CommandCancelled", "CommandRejected"]);

/** What must be true of the drives' own records. Pure. */
export function motionLaws(evidence: Evidence): Broken[] {
  const starts = evidence.book.motions.filter(({ kind }) => STARTS.has(kind));
  return [
    ...starts.flatMap((start) => startLaws(start, evidence)),
    ...countLaws(starts, evidence),
    ...evidence.commands.flatMap((command) => truthLaws(command, starts, evidence)),
    ...evidence.commands.flatMap((command) => deadlineLaw(command, evidence)),
  ];
}

/** The commands that a start can be of: the same axis, the same kind of motion, the same place. */
function candidates(
  { axis, kind, target }: Pick<BookedMotion, "axis" | "kind" | "target">,
  { commands }: Evidence,
): readonly ToldCommand[] {
  return commands.filter(({ axis: of, accepted, dispatched }) => {
    if (of !== axis || !accepted || !dispatched) return false;
    if (kind === "home") return accepted.commandType === "Home";
    if (kind === "velocity") return accepted.commandType === "MoveVelocity";
    // A start without a place is a halted move that goes on: nobody ever asks for that.
    return target !== null && accepted.targetCounts === target;
  });
}

function startLaws(start: BookedMotion, evidence: Evidence): Broken[] {
  const { axis, kind, target, writtenMs } = start;
  const name = `${kind} ${axis} to ${target} written at ${writtenMs.toFixed(3)}`;
  const own = candidates(start, evidence).filter(({ decidedMs }) => decidedMs <= writtenMs);
  if (own.length === 0) return [{ law: "no axis moves by itself", how: name }];
  const { epochs } = evidence.witness;
  const broken: Broken[] = [];
  if (own.every((command) => stopsBefore(start, command, evidence) > (command.accepted?.stopGeneration ?? 0)))
    broken.push({ law: "a stop is final", how: `${name}, decided before a stop that a bridge had heard` });
  const epoch = highest(epochs.filter(({ atMs }) => atMs < writtenMs).map((heard) => heard.epoch));
  if (own.every((command) => command.epoch < epoch))
    broken.push({ law: "nothing of a former life moves an axis", how: `${name}, after epoch ${epoch} was heard` });
  return broken;
}

/**
 * Highest generation of the stops that a bridge had heard before the start left. One whose record the log could never take
 * ends with its process: the next life knows nothing of it, and its clients were told `recorded: false`.
 */
function stopsBefore({ axis, writtenMs }: BookedMotion, command: ToldCommand, { log, witness }: Evidence): number {
  const heard = witness.stops.filter((stop) => stop.axis === axis && stop.atMs < writtenMs);
  const recorded = new Set(log.flatMap((event) => ("stopId" in event.data ? [String(event.data.stopId)] : [])));
  const binding = heard.filter(({ stopId, epoch }) => epoch >= command.epoch || recorded.has(stopId));
  return highest(binding.map(({ generation }) => generation));
}

/** No second motion: not more starts towards a place than commands that were dispatched towards it. */
function countLaws(starts: readonly BookedMotion[], evidence: Evidence): Broken[] {
  const groups = new Map<string, BookedMotion[]>();
  for (const start of starts) {
    const key = `${start.axis} ${start.kind} ${start.kind === "start-absolute" ? start.target : ""}`;
    groups.set(key, [...(groups.get(key) ?? []), start]);
  }
  return [...groups].flatMap(([key, made]) => {
    const asked = candidates(made[0] as BookedMotion, evidence);
    if (made.length <= asked.length) return [];
    const times = made.map(({ writtenMs }) => writtenMs.toFixed(3)).join(", ");
    return [{ law: "no second motion", how: `${key}: ${made.length} starts (${times}) for ${asked.length} commands` }];
  });
}

/** What the log says has happened has happened, and what it says was never sent was never sent. */
function truthLaws(command: ToldCommand, starts: readonly BookedMotion[], evidence: Evidence): Broken[] {
  const { id, axis, accepted, ends, decidedMs, events } = command;
  const [end] = ends;
  const target = accepted?.targetCounts ?? null;
  if (!end || !accepted || target === null || !accepted.commandType.startsWith("Move")) return [];
  const name = `${accepted.commandType} ${id} of ${axis} to ${target}`;
  const own = starts.filter((start) => start.axis === axis && start.target === target);
  const before = own.filter(({ arrivedMs }) => arrivedMs <= recordedMs(end));
  // Asked to go where it stands, it is there, whether or not the drive ever heard of it.
  const wasThere = () => evidence.book.stood(axis, target, WINDOW_COUNTS, decidedMs, recordedMs(end));
  // A loss left its outcome open, and the axis was found standing at its target: a success, however it got there.
  const foundThere = () =>
    !events.some(({ type }) => type === "DispatchAcknowledged") &&
    evidence.book.foundAt(axis, target, WINDOW_COUNTS, recordedMs(end));
  if (end.type === "CommandSucceeded" && !before.some(({ obeyed }) => obeyed) && !wasThere() && !foundThere())
    return [{ law: "what succeeded was done", how: name }];
  // Another command may have asked for the same place.
  const [only] = own.length === 1 ? own : [];
  if (UNSENT.has(end.type) && only && only.writtenMs > recordedMs(end) && candidates(only, evidence).length === 0)
    return [{ law: "what was not sent was not sent", how: `${name}: ${end.type}` }];
  return [];
}

function deadlineLaw(command: ToldCommand, evidence: Evidence): Broken[] {
  const { id, axis, accepted, dispatched, decidedMs } = command;
  const target = accepted?.targetCounts ?? null;
  // One that was never dispatched has no frames of its own: a start of it would be nobody's motion.
  if (!accepted || !dispatched || target === null || !accepted.commandType.startsWith("Move")) return [];
  const firstMs = evidence.book.firstCarrying(axis as AxisId, target, decidedMs);
  const untilMs = latestStart(command, evidence);
  if (firstMs === undefined || untilMs === undefined || firstMs <= untilMs) return [];
  // A later command may have asked for the same place, and be in time.
  const owned = candidates({ axis: axis as AxisId, kind: "start-absolute", target }, evidence).some(
    (other) => other.decidedMs <= firstMs && firstMs <= (latestStart(other, evidence) ?? 0),
  );
  const how = `${id} of ${axis}: to start until ${untilMs.toFixed(3)}, first byte at ${firstMs.toFixed(3)}`;
  return owned ? [] : [{ law: "no motion after its deadline", how }];
}

/** The last moment for the first frame of a command, by the clock of whoever asked for it. */
function latestStart({ id, accepted, decidedMs }: ToldCommand, { history, idOf }: Evidence): number | undefined {
  const wish = history.wishes.find(({ key }) => idOf(key) === id);
  if (!wish || !accepted) return undefined;
  const asked = highest(wish.attempts.map(({ atMs }) => atMs).filter((atMs) => atMs <= decidedMs));
  return asked + accepted.ttlMs + HANDSHAKE_MS;
}

const highest = (numbers: readonly number[]): number => numbers.reduce((a, b) => Math.max(a, b), 0);
