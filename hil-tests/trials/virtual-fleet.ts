import { LeadshineDrive } from "../sim/leadshine-drive.ts";
import { MrJeCDrive } from "../sim/mr-je-c-drive.ts";
import type { SimulatedDrive } from "../sim/simulated-drive.ts";

/** Axes of a trial: a drive without a watchdog, and one that can have one. */
export type VirtualModel = "leadshine-icl-rs" | "mitsubishi-mr-je-c";

/** A drive's own watch over its master, ms; null: none, it runs on. */
export type Watchdog = number | null;

export interface FleetChoice {
  readonly models: readonly VirtualModel[];
  readonly watchdogMs?: Watchdog;
  readonly onRestartMoving?: "stop" | "observe";
  readonly onControllerLost?: "stop" | "finish";
  readonly baud?: number;
}

const COUNTS_PER_UNIT: Readonly<Record<VirtualModel, number>> = { "leadshine-icl-rs": 100, "mitsubishi-mr-je-c": 1000 };
/** Way of each axis, units; inside the hard stops of its plant. */
export const AXIS_MAX = 4000;

/** Drives and the fleet.yaml that drives them: `a1`, `a2` ... on one line. */
export function virtualFleet({ models, watchdogMs = null, baud = 115_200, ...policy }: FleetChoice): {
  readonly drives: readonly SimulatedDrive[];
  readonly fleet: string;
} {
  const { onRestartMoving = "stop", onControllerLost = "stop" } = policy;
  const drives = models.map((model, n) => driveOf(model, `a${n + 1}`, n + 1, watchdogMs));
  const axes = models.map(
    (model, n) =>
      `  - { id: a${n + 1}, link: line, unit: ${n + 1}, profile: ${model}, countsPerUnit: ${COUNTS_PER_UNIT[model]}, ` +
      `limits: { min: -100, max: ${AXIS_MAX}, velocity: 2000, acceleration: 20000 }, homing: { required: false }, ` +
      `allowUnboundedMoves: true, poll: { movingMs: 20, idleMs: 100 }, ` +
      `onRestartMoving: ${onRestartMoving}, onControllerLost: ${onControllerLost} }`,
  );
  const link = `  - { id: line, kind: modbus-rtu, port: /dev/null, baud: ${baud}, stopWaitMaxMs: ${baud < 38_400 ? 100 : 30} }`;
  return { drives, fleet: ["box: trial", "links:", link, "axes:", ...axes].join("\n") };
}

function driveOf(model: VirtualModel, id: string, unit: number, watchdogMs: Watchdog): SimulatedDrive {
  if (model === "leadshine-icl-rs") return new LeadshineDrive(id, unit);
  return new MrJeCDrive(id, unit, {}, watchdogMs === null ? {} : { watchdog: "telegram", watchdogMs });
}
