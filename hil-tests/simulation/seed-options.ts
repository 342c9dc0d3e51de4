import type { Random } from "@servofleet/runtime/clock";
import { seededRandom } from "@servofleet/runtime/fake-clock";
import type { FleetChoices } from "./sim-fleet.ts";

/** Everything that a seed decides before its run begins: printed with a failure, so that nothing about it is hidden. */
export interface SeedOptions extends FleetChoices {
  readonly seed: number;
  /** How long operators and faults are at work, ms. */
  readonly busyMs: number;
  readonly operators: number;
  /** Whether the bridge is the controller's child (it dies with it) or stands alone behind a broker. */
  readonly bridge: "child" | "alone";
  /** The communication watchdog of z1. */
  readonly watchdog: "none" | "telegram" | "write";
  /** Shares of frames. */
  readonly lostFrames: number;
  readonly corruptedFrames: number;
  readonly cutFrames: number;
  readonly lateFrames: number;
  /** Shares of messages; a child's channel loses nothing. */
  readonly lostMessages: number;
  readonly doubledMessages: number;
  readonly lateMessagesMs: number;
  /** How many of each kind of event the seed has in store. */
  readonly controllerDeaths: number;
  readonly bridgeDeaths: number;
  readonly readSideDeaths: number;
  readonly diskFaults: number;
  readonly driveResets: number;
  readonly linkCuts: number;
  readonly busCuts: number;
  readonly clockSteps: number;
}

const pick = <T>(random: Random, ...choices: readonly T[]): T =>
  choices[Math.floor(random.next() * choices.length)] as T;
/** Nothing of it in most seeds, up to `max` in the others: a run in which all goes wrong at once reaches little. */
const share = (random: Random, often: number, max: number): number =>
  random.next() < often ? Math.round(random.next() * max * 1e4) / 1e4 : 0;
const count = (random: Random, often: number, max: number): number =>
  random.next() < often ? 1 + Math.floor(random.next() * max) : 0;

/** A stream of chance of its own for each part: what one part draws does not change what another gets. */
export const streamOf = (seed: number, part: string): Random => {
  let mixed = (seed ^ 0x9e3779b9) >>> 0;
  for (const char of part) mixed = Math.imul(mixed ^ char.charCodeAt(0), 0x01000193) >>> 0;
  return seededRandom(mixed ^ (seed * 2_654_435_761));
};

/** What that seed stands for. Pure. */
export function seedOptions(seed: number): SeedOptions {
  const random = streamOf(seed, "options");
  const bridge = pick(random, "child", "child", "alone");
  const brokered = bridge === "alone";
  return {
    seed,
    busyMs: 7000 + Math.floor(random.next() * 4000),
    operators: 2 + Math.floor(random.next() * 2),
    bridge,
    watchdog: pick(random, "none", "none", "telegram", "write"),
    onControllerLost: pick(random, "stop", "stop", "finish"),
    onRestartMoving: pick(random, "stop", "stop", "observe"),
    lostFrames: share(random, 0.4, 0.06),
    corruptedFrames: share(random, 0.4, 0.05),
    cutFrames: share(random, 0.3, 0.03),
    lateFrames: share(random, 0.4, 0.05),
    lostMessages: brokered ? share(random, 0.5, 0.05) : 0,
    doubledMessages: brokered ? share(random, 0.5, 0.1) : 0,
    lateMessagesMs: share(random, 0.3, 40),
    controllerDeaths: count(random, 0.6, 3),
    bridgeDeaths: count(random, 0.4, 2),
    readSideDeaths: count(random, 0.3, 2),
    diskFaults: count(random, 0.5, 3),
    driveResets: count(random, 0.3, 2),
    linkCuts: count(random, 0.3, 2),
    busCuts: brokered ? count(random, 0.5, 2) : 0,
    clockSteps: count(random, 0.3, 2),
  };
}
