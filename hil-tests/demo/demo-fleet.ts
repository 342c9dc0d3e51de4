import { join } from "node:path";
import type { FleetConfig } from "@servofleet/contracts";

/** One simulated link of the demonstration, as `servofleet sim` reads it. */
interface DemoLink {
  readonly id: string;
  readonly kind: "modbus-rtu" | "modbus-tcp";
  readonly path?: string;
  readonly baud?: number;
  readonly host?: string;
  readonly port?: number;
  readonly drives: readonly { id: string; unit: number; model: string }[];
}

const SERIAL_BAUD = 115_200;
/** Simulated drives share the processor with everything else and pause now and then as no drive would. */
const STOP_WAIT_MAX_MS = 200;
const SERIAL_LINES = [
  { id: "line_a", axes: ["x1", "x2", "x3"] },
  { id: "line_b", axes: ["y1", "y2", "y3"] },
] as const;
const TCP_DRIVES = [
  { id: "cell_1", axis: "z1" },
  { id: "cell_2", axis: "z2" },
] as const;

/** The simulators: two serial lines (ptys) with three path-table drives each, and two drives on TCP. */
export function demoLinks(directory: string): { control: { port: number }; links: readonly DemoLink[] } {
  return {
    control: { port: 0 },
    links: [
      ...SERIAL_LINES.map(({ id, axes }) => ({
        id,
        kind: "modbus-rtu" as const,
        path: join(directory, id),
        baud: SERIAL_BAUD,
        drives: axes.map((axis, index) => ({ id: axis, unit: index + 1, model: "leadshine-icl-rs" })),
      })),
      ...TCP_DRIVES.map(({ id, axis }) => ({
        id,
        kind: "modbus-tcp" as const,
        host: "127.0.0.1",
        port: 0,
        drives: [{ id: axis, unit: 255, model: "mitsubishi-mr-je-c" }],
      })),
    ],
  };
}

/** The fleet in front of them; `ports` are what the simulators' TCP drives were given, by link. */
export function demoFleet(
  directory: string,
  ports: Readonly<Record<string, number>>,
): Omit<FleetConfig, "data" | "http" | "messaging"> {
  const common = { onShutdown: "stop", onRestartMoving: "stop", onControllerLost: "stop" } as const;
  return {
    box: "demo_box",
    links: [
      ...SERIAL_LINES.map(({ id }) => ({
        id,
        kind: "modbus-rtu" as const,
        port: join(directory, id),
        baud: SERIAL_BAUD,
        parity: "none" as const,
        stopBits: 1 as const,
        stopWaitMaxMs: STOP_WAIT_MAX_MS,
      })),
      ...TCP_DRIVES.map(({ id }) => ({
        id,
        kind: "modbus-tcp" as const,
        host: "127.0.0.1",
        port: ports[id] ?? 0,
        stopWaitMaxMs: STOP_WAIT_MAX_MS,
      })),
    ],
    axes: [
      ...SERIAL_LINES.flatMap(({ id: link, axes }) =>
        axes.map((id, index) => ({
          id,
          link,
          unit: index + 1,
          profile: "leadshine-icl-rs",
          unitName: "mm",
          countsPerUnit: 100,
          limits: { min: 0, max: 800, velocity: 500, acceleration: 5000, torque: 100 },
          homing: { required: true, method: 17, velocity: 50, offset: 0 },
          poll: { movingMs: 20, idleMs: 200 },
          allowUnboundedMoves: false,
          ...common,
        })),
      ),
      ...TCP_DRIVES.map(({ id: link, axis: id }) => ({
        id,
        link,
        unit: 255,
        profile: "mitsubishi-mr-je-c",
        unitName: "deg",
        countsPerUnit: 1000,
        limits: { min: -360, max: 360, velocity: 360, acceleration: 3600, torque: 100 },
        homing: { required: true, method: 37, velocity: 30, offset: 0 },
        poll: { movingMs: 10, idleMs: 100 },
        // The simulated drives stay in this box: nobody is hurt when they keep turning.
        allowUnboundedMoves: true,
        ...common,
      })),
    ],
    groups: [
      { id: "gantry", axes: ["x1", "x2"] as never },
      { id: "table", axes: ["z1", "z2"] as never },
    ],
  } as never;
}
