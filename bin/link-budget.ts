import { dirname, resolve } from "node:path";
import type { AxisConfig, FleetConfig, LinkConfig } from "@servofleet/contracts";
import { lineCost, type PollPlan, plannedLoad, stopBoundMs } from "@servofleet/firmware-bridge/link/bus-cost";
import { loadProfile } from "@servofleet/firmware-bridge/profile/load-profile";
import { figure } from "./verbs/output.ts";

/** Share of a line that polls may need when nothing moves; the rest is for commands, confirmations and retries. */
export const IDLE_LOAD_MAX = 0.85;

/** The bus time one link needs. */
export interface LinkBudget {
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

/** The budget of every link of a fleet whose profiles load; `file` is what relative profile paths start from. */
export const linkBudgets = (config: FleetConfig, file: string): readonly LinkBudget[] =>
  config.links.map((link) => budget(config, link, dirname(resolve(file))));

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
