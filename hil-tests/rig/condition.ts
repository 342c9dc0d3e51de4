import type { AxisView, CommandView, LinkView } from "@servofleet/contracts";
import type { DriveView } from "../box/running-box.ts";
import type { BenchAxis } from "./abilities.ts";
import { lengthIn, placeIn } from "./amount.ts";
import type { Condition } from "./scenario.ts";

/** What was seen for a condition; only what the condition asks about is there. */
export interface Look {
  readonly axis: AxisView | undefined;
  readonly drive: DriveView | undefined;
  readonly link: LinkView | undefined;
  readonly command: CommandView | undefined;
  /** Displayed position of the axis at the condition's mark, units. */
  readonly marked: number | undefined;
}

/** Tolerance of a place where the file names none: a two-hundredth of the reach. */
const BY_DEFAULT = "0.5%";

/** Which views a condition needs, so that a look asks for nothing else. */
export const asksFor = (condition: Condition) => ({
  command: condition.command !== undefined,
  link: condition.link !== undefined,
  drive:
    condition.driveMoving !== undefined || condition.driveEnabled !== undefined || condition.driveAlarm !== undefined,
  axis: AXIS_WORDS.some((word) => condition[word] !== undefined),
});
const AXIS_WORDS = [
  "state",
  "stopLatched",
  "homed",
  "reconcileRequired",
  "fault",
  "quality",
  "near",
  "nearMark",
  "moving",
] as const;

/** Everything that is not as the condition says, each as "is ..., not ..."; empty when it holds. */
export function unmet(condition: Condition, look: Look, bench: BenchAxis): readonly string[] {
  return [
    ...axisUnmet(condition, look, bench),
    ...driveUnmet(condition, look),
    ...commandUnmet(condition, look.command),
    ...differs("settled", look.command ? look.command.settled !== null : undefined, condition.settled),
    ...differs("link", look.link?.state, condition.link),
  ];
}

function axisUnmet(condition: Condition, { axis, marked }: Look, bench: BenchAxis): readonly string[] {
  const moving = axis && ["discrete-motion", "continuous-motion", "homing", "stopping"].includes(axis.state);
  return [
    ...noneOf("state", axis?.state, condition.state),
    ...differs("stopLatched", axis?.stopLatched, condition.stopLatched),
    ...differs("homed", axis?.homed, condition.homed),
    ...differs("reconcileRequired", axis?.reconcileRequired, condition.reconcileRequired),
    ...differs("a fault", axis ? axis.fault !== null : undefined, condition.fault),
    ...noneOf("quality", axis?.measured.quality, condition.quality),
    ...(moving === condition.moving ? [] : differs(`moving (${axis?.state ?? "unknown"})`, moving, condition.moving)),
    ...(condition.near === undefined ? [] : farFrom(condition, axis, placeIn(bench.reach, condition.near), bench)),
    ...(condition.nearMark === undefined
      ? []
      : farFrom(condition, axis, (marked ?? Number.NaN) + lengthIn(bench.reach, condition.plus ?? 0), bench)),
  ];
}

function farFrom(condition: Condition, axis: AxisView | undefined, place: number, bench: BenchAxis): readonly string[] {
  const by = lengthIn(bench.reach, condition.by ?? BY_DEFAULT);
  const position = axis?.measured.position ?? Number.NaN;
  if (Math.abs(position - place) <= by) return [];
  return [`position is ${figure(position)}, not within ${figure(by)} ${bench.unitName} of ${figure(place)}`];
}

function driveUnmet(condition: Condition, { drive }: Look): readonly string[] {
  return [
    ...differs("drive moving", drive?.moving, condition.driveMoving),
    ...differs("drive enabled", drive?.enabled, condition.driveEnabled),
    ...differs("a drive alarm", drive ? drive.alarm !== 0 : undefined, condition.driveAlarm),
  ];
}

/** As `unmet`, for how the command ended; `settled` may still come after that. */
export function commandUnmet(condition: Condition, command: CommandView | undefined): readonly string[] {
  const slug = command?.problem?.type.split("/").at(-1);
  return [
    ...noneOf("command", command?.state, condition.commandState),
    ...noneOf("its problem", slug ?? "none", condition.problem),
  ];
}

/** Words joined by `|`. */
export const alternatives = (words: string): readonly string[] => words.split("|").map((word) => word.trim());

function noneOf(what: string, found: string | undefined, wanted: string | undefined): readonly string[] {
  if (wanted === undefined || (found !== undefined && alternatives(wanted).includes(found))) return [];
  return [`${what} is ${found ?? "unknown"}, not ${alternatives(wanted).join(" or ")}`];
}

function differs<T>(what: string, found: T | undefined, wanted: T | undefined): readonly string[] {
  return wanted === undefined || found === wanted
    ? []
    : [`${what}: ${String(found ?? "unknown")}, not ${String(wanted)}`];
}

const figure = (value: number): string =>
  Number.isFinite(value) ? String(Math.round(value * 1000) / 1000) : "unknown";
