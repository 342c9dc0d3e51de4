import { type CloudEvent, type Page, parseRfc3339, TERMINAL_STATES } from "@servofleet/contracts";
import { allEnded, readyAxis } from "../box/ready-axis.ts";
import type { RunningBox, ServiceName } from "../box/running-box.ts";
import { until } from "../box/until.ts";
import type { MotionWrite } from "../sim/drive-record.ts";
import { killAndReturn } from "./retry-storm.ts";

const BACK_LIMIT_MS = 45_000;
/** Axes that move when the process dies: a drive without a watchdog, and one that stops itself without its master. */
export const KILLED_AXES = ["x1", "z1"] as const;
const WATCHDOG_MS = 1500;
/** The shaft is well under way, counts/s. */
const UNDER_WAY = 500;
const STOPS: ReadonlySet<MotionWrite["kind"]> = new Set(["stop", "halt", "disable"]);

/** The demonstration's links with a watchdog in the drive of `z1`. */
export function withWatchdog<
  L extends { readonly links: readonly { readonly drives: readonly { readonly id: string }[] }[] },
>(links: L): object {
  const quirks = { watchdog: "telegram", watchdogMs: WATCHDOG_MS };
  const changed = links.links.map((link) => ({
    ...link,
    drives: link.drives.map((drive) => (drive.id === "z1" ? { ...drive, quirks } : drive)),
  }));
  return { ...links, links: changed };
}

export interface KillResult {
  readonly service: ServiceName;
  readonly states: readonly string[];
  /** From the first word of the new bridge to the end of the recovery, ms. */
  readonly classifiedMs: number;
  readonly writes: readonly string[];
  readonly broken: readonly string[];
}

/** Two long moves, one SIGKILL, and what the drives' own records say of it. */
export async function killInMidMove(box: RunningBox, service: ServiceName): Promise<KillResult> {
  await Promise.all(KILLED_AXES.map((axis) => readyAxis(box, axis)));
  const ids = await Promise.all(KILLED_AXES.map((axis) => longMove(box, axis)));
  const newest = new Map<string, number>();
  const ended: string[] = [];
  for (const [n, axis] of KILLED_AXES.entries()) {
    const look = async () => ({ drive: await box.drive(axis), story: await box.command(ids[n] ?? "") });
    const underWay = await until(
      `${axis} is under way`,
      look,
      ({ drive, story }) => Math.abs(drive.plant.velocity) > UNDER_WAY || TERMINAL_STATES.has(story.state),
    );
    newest.set(axis, underWay.drive.record.at(-1)?.seq ?? 0);
    if (TERMINAL_STATES.has(underWay.story.state)) ended.push(`${axis}: ${JSON.stringify(underWay.story)}`);
  }
  const before = (await completed(box)).length;
  await killAndReturn(box, service);
  await until(
    "the recovery is over",
    () => completed(box),
    (events) => events.length > before,
    BACK_LIMIT_MS,
  );
  const stories = await allEnded(box, ids);
  const writes: string[] = [];
  for (const axis of KILLED_AXES) {
    await until(
      `${axis} stands`,
      () => box.drive(axis),
      ({ moving }) => !moving,
      BACK_LIMIT_MS,
    );
    writes.push(...(await box.drive(axis, newest.get(axis))).record.map(({ kind }) => kind));
  }
  const odd = writes.filter((kind) => !STOPS.has(kind as MotionWrite["kind"]));
  const wrote = odd.length > 0 ? [`wrote ${odd.join(", ")} after ${service} was killed`] : [];
  const broken = [...wrote, ...ended.map((story) => `ended before the kill: ${story}`)];
  const states = stories.map(({ state }) => state);
  return { service, states, classifiedMs: await classification(box), writes, broken };
}

async function longMove(box: RunningBox, axis: string): Promise<string> {
  const { measured } = await box.axis(axis);
  const here = measured.position ?? 0;
  const [low, high, velocity] = axis === "x1" ? [20, 700, 60] : [-300, 300, 40];
  const position = here > (low + high) / 2 ? low : high;
  return (await box.send(axis, { type: "MoveAbsolute", position, velocity })).commandId;
}

const eventsOf = async (box: RunningBox, type: string): Promise<readonly CloudEvent[]> =>
  (await box.read<Page<CloudEvent>>(`/v1/events?limit=1000&type=${type}`)).items;

const completed = (box: RunningBox) => eventsOf(box, "RecoveryCompleted");

async function classification(box: RunningBox): Promise<number> {
  const us = (event: CloudEvent | undefined) => (event && parseRfc3339(event.time)) ?? Number.NaN;
  const started = us((await eventsOf(box, "BridgeStarted")).at(-1));
  return Math.round((us((await completed(box)).at(-1)) - started) / 1000);
}
