import type { AxisId, FleetConfig } from "@servofleet/contracts";
import { parseFleet } from "@servofleet/runtime/fleet-file";

/** Speed of the simulated serial line. */
export const SIM_BAUD = 115_200;

/** What the simulation must know of an axis beyond its configuration. */
export interface SimAxis {
  readonly id: AxisId;
  readonly link: string;
  readonly unit: number;
  readonly profile: string;
  /** Where its home switch is, counts. */
  readonly homeAt: number;
}

/** Two drives on one RS-485 line, one on a TCP port of its own. */
export const simAxes: readonly SimAxis[] = [
  { id: "x1" as AxisId, link: "line_a", unit: 1, profile: "leadshine-icl-rs", homeAt: -1500 },
  { id: "x2" as AxisId, link: "line_a", unit: 2, profile: "leadshine-icl-rs", homeAt: -5000 },
  { id: "z1" as AxisId, link: "cell_2", unit: 255, profile: "mitsubishi-mr-je-c", homeAt: -500_000 },
];

/** Choices of a seed that the configuration carries. */
export interface FleetChoices {
  readonly onControllerLost: "stop" | "finish";
  readonly onRestartMoving: "stop" | "observe";
}

/** The fleet of every run; x1 must be homed before it moves. */
export function simFleet({ onControllerLost, onRestartMoving }: FleetChoices): FleetConfig {
  const policy = `onControllerLost: ${onControllerLost}, onRestartMoving: ${onRestartMoving}, poll: { movingMs: 40, idleMs: 200 }`;
  const screw = "countsPerUnit: 100, limits: { min: 0, max: 800, velocity: 500, acceleration: 5000 }";
  return parseFleet(
    `
box: simulation
data: /simulation
links:
  - { id: line_a, kind: modbus-rtu, port: /dev/null, baud: ${SIM_BAUD} }
  - { id: cell_2, kind: modbus-tcp, host: 127.0.0.1, port: 502 }
axes:
  - { id: x1, link: line_a, unit: 1, profile: leadshine-icl-rs, ${screw}, homing: { velocity: 100 }, ${policy} }
  - { id: x2, link: line_a, unit: 2, profile: leadshine-icl-rs, ${screw}, homing: { required: false }, ${policy} }
  - { id: z1, link: cell_2, unit: 255, profile: mitsubishi-mr-je-c, countsPerUnit: 1000, limits: { min: 0, max: 800, velocity: 360, acceleration: 3600 }, homing: { required: false }, ${policy} }
groups:
  - { id: gantry, axes: [x1, x2] }
`,
    "simulation.yaml",
  );
}
