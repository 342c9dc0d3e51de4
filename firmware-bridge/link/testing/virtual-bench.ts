import type { LinkConfig, LinkId } from "@servofleet/contracts";
import { FakeClock, seededRandom } from "@servofleet/runtime/fake-clock";
import { RtuFramer } from "../../modbus/rtu-framer.ts";
import { type LineCost, lineCost, type PollPlan } from "../bus-cost.ts";
import { Line } from "../line.ts";
import type { LinkLog } from "../line-parts.ts";
import { TelltaleDrives } from "./telltale-drives.ts";
import { NO_FAULTS, VirtualLine } from "./virtual-line.ts";

const QUIET = { info: () => undefined, warn: () => undefined };

export interface VirtualBench {
  readonly clock: FakeClock;
  readonly line: Line;
  readonly wire: VirtualLine;
  readonly drives: TelltaleDrives;
  readonly cost: LineCost;
  readonly random: ReturnType<typeof seededRandom>;
}

export const virtualConfig = (more: Partial<Extract<LinkConfig, { kind: "modbus-rtu" }>> = {}): LinkConfig => ({
  id: "virtual" as LinkId,
  kind: "modbus-rtu",
  port: "virtual",
  baud: 115_200,
  parity: "none",
  stopBits: 1,
  stopWaitMaxMs: 20,
  ...more,
});

/** The real engine on a line in virtual time, open. */
export async function virtualBench(
  config: LinkConfig,
  units: readonly number[],
  options: { seed?: number; turnaroundMs?: number; polls?: readonly PollPlan[]; log?: LinkLog } = {},
): Promise<VirtualBench> {
  const clock = new FakeClock();
  const random = seededRandom(options.seed ?? 1);
  const cost = lineCost(config);
  const drives = new TelltaleDrives(() => options.turnaroundMs ?? 0.9);
  const wire = new VirtualLine({
    clock,
    random,
    characterMs: cost.characterUs / 1000,
    silenceMs: cost.silenceUs / 1000,
    drives: drives.answer,
    faults: NO_FAULTS,
    lateMs: config.stopWaitMaxMs,
  });
  const line = new Line(config, cost, {
    clock,
    random,
    wire,
    framer: new RtuFramer(),
    broadcastUnit: 0,
    repliesHaveIds: false,
    units: units.map((unit) => ({ unit, axis: null })),
    log: options.log ?? QUIET,
    ...(options.polls ? { polls: options.polls } : {}),
  });
  line.open();
  await clock.advance(5);
  return { clock, line, wire, drives, cost, random };
}
