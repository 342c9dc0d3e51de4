import { dirname, resolve } from "node:path";
import type { AxisConfig, FleetConfig, LinkConfig } from "@servofleet/contracts";
import { linkPlan } from "@servofleet/firmware-bridge/bridge/link-plan";
import { lineCost, plannedLoad, stopBoundMs } from "@servofleet/firmware-bridge/link/bus-cost";
import { COMMAND_RESERVE } from "@servofleet/firmware-bridge/link/poll-pace";
import type { DriveProfile } from "@servofleet/firmware-bridge/profile/drive-profile";
import { loadProfile } from "@servofleet/firmware-bridge/profile/load-profile";
import { figure } from "./verbs/output.ts";
import { watchdogRefusals } from "./watchdog-words.ts";

/** Share of a line that polls may need when nothing moves; the rest is for commands, confirmations and retries. */
export const IDLE_LOAD_MAX = 1 - COMMAND_RESERVE;
/** A line on which the last axis is told to stop later than this is not driven at all. */
export const STOP_BOUND_MAX_MS = 1000;
/** Limits of the configuration's schema. */
const PERIOD_MAX_MS = 60_000;
const STOP_WAIT_MIN_MS = 5;

/** Settings of one link that its bus time is enough for. */
export interface FittingPlan {
  readonly stopWaitMaxMs: number;
  readonly axes: readonly { readonly axis: string; readonly idleMs: number; readonly movingMs: number }[];
}

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
  /** What does not fit, with its numbers. */
  readonly refusals: readonly string[];
  /** Null when everything fits, also while all axes move, or when no setting would help. */
  readonly plan: FittingPlan | null;
  readonly advice: string | null;
}

/** The budget of every link of a fleet whose profiles load; `file` is what relative profile paths start from. */
export function linkBudgets(config: FleetConfig, file: string): readonly LinkBudget[] {
  const directory = dirname(resolve(file));
  return config.links.map((link) => budget(config, link, (axis) => loadProfile(axis.profile, directory)));
}

type Need = Pick<LinkBudget, "idleLoad" | "movingLoad" | "stopBoundFirstMs" | "stopBoundLastMs">;
type ProfileOf = (axis: AxisConfig) => DriveProfile;

function budget(config: FleetConfig, link: LinkConfig, profileOf: ProfileOf): LinkBudget {
  const axes = config.axes.filter((axis) => axis.link === link.id);
  const need = needOf(config, link, profileOf);
  const watchdogs = watchdogRefusals(link, axes, profileOf);
  const overload = refusalsOf(need);
  const refusals = [...overload, ...watchdogs.map(({ found }) => found)];
  const fits = refusals.length === 0;
  const isTight = overload.length > 0 || need.movingLoad > IDLE_LOAD_MAX;
  const plan = isTight ? fittingPlan(config, link, need, profileOf) : null;
  const awake = watchdogs.length === 0 ? null : `would fit: ${watchdogs.map(({ fitting }) => fitting).join(", ")}`;
  const room = fits ? movingAdvice(need.movingLoad, axes, plan) : refusalAdvice(link, axes, plan);
  const advice = overload.length === 0 && awake !== null ? awake : room;
  return { link: link.id, axes: axes.length, ...need, fits, refusals, plan, advice };
}

function needOf(config: FleetConfig, link: LinkConfig, profileOf: ProfileOf): Need {
  const cost = lineCost(link);
  const { units, polls, inFlight, stop } = linkPlan(link, config, profileOf);
  return {
    idleLoad: plannedLoad(polls, cost),
    movingLoad: plannedLoad(linkPlan(link, config, profileOf, "movingMs").polls, cost),
    stopBoundFirstMs: stopBoundMs(cost, 0, inFlight, stop),
    stopBoundLastMs: stopBoundMs(cost, Math.max(0, units.length - 1), inFlight, stop),
  };
}

function refusalsOf({ idleLoad, stopBoundLastMs }: Need): string[] {
  const percent = (share: number) => `${Math.round(share * 100)} %`;
  const refusals: string[] = [];
  if (idleLoad > IDLE_LOAD_MAX) {
    const most = `${percent(IDLE_LOAD_MAX)}; ${percent(COMMAND_RESERVE)} are kept for commands`;
    refusals.push(`polls for ${percent(idleLoad)} of its bus time (at most ${most})`);
  }
  if (stopBoundLastMs > STOP_BOUND_MAX_MS)
    refusals.push(
      `a last axis that may wait ${figure(stopBoundLastMs, "ms")} for its stop (at most ${STOP_BOUND_MAX_MS})`,
    );
  return refusals;
}

/** Longer periods by what is missing, and a shorter wait for silent drives; undefined settings would not help: null. */
function fittingPlan(config: FleetConfig, link: LinkConfig, need: Need, profileOf: ProfileOf): FittingPlan | null {
  const stretched = (ms: number, load: number) => Math.ceil(ms * Math.max(1, load / IDLE_LOAD_MAX));
  const overMs = Math.max(0, need.stopBoundLastMs - STOP_BOUND_MAX_MS);
  const stopWaitMaxMs = overMs === 0 ? link.stopWaitMaxMs : Math.floor(link.stopWaitMaxMs - overMs);
  const axes = config.axes.map((axis) => {
    if (axis.link !== link.id) return axis;
    const movingMs = stretched(axis.poll.movingMs, need.movingLoad);
    return { ...axis, poll: { movingMs, idleMs: Math.max(movingMs, stretched(axis.poll.idleMs, need.idleLoad)) } };
  });
  const own = axes.filter((axis) => axis.link === link.id);
  if (stopWaitMaxMs < STOP_WAIT_MIN_MS || own.some(({ poll }) => poll.idleMs > PERIOD_MAX_MS)) return null;
  const after = needOf({ ...config, axes }, { ...link, stopWaitMaxMs }, profileOf);
  if (refusalsOf(after).length > 0) return null;
  return { stopWaitMaxMs, axes: own.map(({ id, poll }) => ({ axis: id, ...poll })) };
}

function refusalAdvice(link: LinkConfig, axes: readonly AxisConfig[], plan: FittingPlan | null): string {
  const otherwise = "give the line fewer axes or more baud";
  if (!plan) return `no setting of poll.idleMs or stopWaitMaxMs would fit: ${otherwise}`;
  const wait = plan.stopWaitMaxMs === link.stopWaitMaxMs ? [] : [`stopWaitMaxMs: ${plan.stopWaitMaxMs}`];
  return `would fit: ${[...settings("idleMs", axes, plan), ...wait].join(", ")}; or ${otherwise}`;
}

function movingAdvice(load: number, axes: readonly AxisConfig[], plan: FittingPlan | null): string | null {
  if (load <= IDLE_LOAD_MAX) return null;
  const fitting = plan ? `; would fit: ${settings("movingMs", axes, plan).join(", ")}` : "";
  return `while all axes move, each is read about every ${figure(load)} x poll.movingMs${fitting}`;
}

/** `poll.idleMs: 340 (x1, x2)`, one per value that changes. */
function settings(name: "idleMs" | "movingMs", axes: readonly AxisConfig[], plan: FittingPlan): string[] {
  const byValue = new Map<number, string[]>();
  for (const axis of axes) {
    const planned = plan.axes.find((entry) => entry.axis === axis.id)?.[name];
    if (planned !== undefined && planned !== axis.poll[name])
      byValue.set(planned, [...(byValue.get(planned) ?? []), axis.id]);
  }
  return [...byValue].map(
    ([ms, ids]) => `poll.${name}: ${ms} (${ids.length === axes.length ? "all axes" : ids.join(", ")})`,
  );
}
