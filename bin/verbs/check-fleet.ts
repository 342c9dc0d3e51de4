import { dirname, resolve } from "node:path";
import type { AxisConfig, FleetConfig, LinkConfig } from "@servofleet/contracts";
import { lineCost, type PollPlan, plannedLoad, stopBoundMs } from "@servofleet/firmware-bridge/link/bus-cost";
import { loadProfile } from "@servofleet/firmware-bridge/profile/load-profile";
import { readFleetFile } from "@servofleet/runtime/fleet-file";
import { figure, type Output, table } from "./output.ts";

/** Share of a line that polls may need when nothing moves; the rest is for commands, confirmations and retries. */
export const IDLE_LOAD_MAX = 0.85;

/** What `check` says of one link. */
interface LinkBudget {
  readonly link: string;
  readonly axes: number;
  /** Share of the bus time that polling needs while everything stands, and while everything moves. */
  readonly idleLoad: number;
  readonly movingLoad: number;
  /** Longest wait of a stop until its first byte, for the first and for the last axis of the link, ms. */
  readonly stopBoundFirstMs: number;
  readonly stopBoundLastMs: number;
  readonly fits: boolean;
  readonly advice: string | null;
}

/** `check FILE`: the file, its profiles, and the bus time they need. Touches nothing. Exit code 1 when polls do not fit. */
export async function checkFleet(file: string, out: Output): Promise<number> {
  const config = readFleetFile(file, process.env);
  const directory = dirname(resolve(file));
  const links = config.links.map((link) => budget(config, link, directory));
  const fits = links.every((link) => link.fits);
  out.show({ file, valid: fits, box: config.box, links }, () => report(file, links));
  return fits ? 0 : 1;
}

function budget(config: FleetConfig, link: LinkConfig, directory: string): LinkBudget {
  const axes = config.axes.filter((axis) => axis.link === link.id);
  const cost = lineCost(link);
  const idle = axes.flatMap((axis) => polls(axis, axis.poll.idleMs, directory));
  const moving = axes.flatMap((axis) => polls(axis, axis.poll.movingMs, directory));
  const inFlight = moving.map((poll) => poll.request);
  const idleLoad = plannedLoad(idle, cost);
  const movingLoad = plannedLoad(moving, cost);
  const fits = idleLoad <= IDLE_LOAD_MAX;
  return {
    link: link.id,
    axes: axes.length,
    idleLoad,
    movingLoad,
    stopBoundFirstMs: stopBoundMs(cost, 0, inFlight),
    stopBoundLastMs: stopBoundMs(cost, Math.max(0, axes.length - 1), inFlight),
    fits,
    advice: fits
      ? movingAdvice(movingLoad)
      : `raise poll.idleMs by a factor of ${Math.ceil((idleLoad / IDLE_LOAD_MAX) * 10) / 10}, or give the line fewer axes or more baud`,
  };
}

/** The reads that go on for ever: the profile's status blocks. */
function polls(axis: AxisConfig, periodMs: number, directory: string): PollPlan[] {
  const profile = loadProfile(axis.profile, directory);
  return profile.data.plan.status.map((names) => ({ request: profile.read(...names), periodMs }));
}

const movingAdvice = (load: number): string | null =>
  load <= IDLE_LOAD_MAX ? null : `while all axes move, each is read about every ${figure(load)} x poll.movingMs`;

function report(file: string, links: readonly LinkBudget[]): string {
  const share = (load: number) => `${Math.round(load * 1000) / 10} %`;
  const rows = links.map((link) => [
    link.link,
    String(link.axes),
    share(link.idleLoad),
    share(link.movingLoad),
    figure(link.stopBoundFirstMs, "ms"),
    figure(link.stopBoundLastMs, "ms"),
    link.advice ?? "",
  ]);
  const verdict = links.every((link) => link.fits)
    ? "good"
    : "does not fit the bus: it would be read late; nothing was touched";
  return `${file}: ${verdict}\n\n${table(["LINK", "AXES", "POLLS IDLE", "POLLS MOVING", "STOP FIRST AXIS", "STOP LAST AXIS", "NOTE"], rows)}`;
}
