import type { LinkView, Page } from "@servofleet/contracts";
import { type Clock, sleep } from "@servofleet/runtime/clock";
import { readyAxis } from "../box/ready-axis.ts";
import type { RunningBox } from "../box/running-box.ts";
import { startBox } from "../box/running-box.ts";
import type { demoFleet } from "../demo/demo-fleet.ts";

import { BenchError } from "./bench-error.ts";
import { KeepAliveClient, type Target } from "./keep-alive-client.ts";
import type { TapNote } from "./wire-tap.ts";
import { startWorker, type Worker } from "./worker.ts";

const OPEN_LIMIT_MS = 5000;
const START_LIMIT_MS = 30_000;
const LOOK_MS = 50;
/** The axis behind the tap: alone on its Modbus TCP link, and hardly polled while it stands. */
export const TAPPED_AXIS = "z1";
const TAPPED_LINK = "cell_1";
const IDLE_POLL_MS = 1000;
/** Quick homing: it is not what is measured. */
const HOMING_VELOCITY = 300;

type Fleet = ReturnType<typeof demoFleet>;

interface BoxParts {
  readonly clock: Clock;
  readonly say: (text: string) => void;
}

/** A running box with simulated drives, and a tap on the cable of one of them. */
export interface BenchBox {
  readonly running: RunningBox;
  readonly controller: Target;
  readonly dashboard: Target;
  readonly gateway: Target;
  readonly axes: readonly string[];
  readonly barePort: number;
  onWire(listener: (note: TapNote) => void): void;
  /** Brings the axis to where it can be moved: latch released, enabled, homed. */
  ready(axis: string): Promise<void>;
  links(): Promise<readonly LinkView[]>;
  stop(): Promise<void>;
}

/** Starts everything; whoever calls must stop it. */
export async function startBenchBox({ clock, say }: BoxParts): Promise<BenchBox> {
  const tap = startWorker("wire-tap", clock);
  try {
    const ports = await tap.ask<{ tapPort: number; barePort: number }>("open", null, OPEN_LIMIT_MS);
    let drivePort = 0;
    let axes: readonly string[] = [];
    say("starting a box of real processes ...");
    const running = await startBox({
      fleet: (fleet) => {
        drivePort =
          fleet.links.flatMap((link) =>
            link.id === TAPPED_LINK && link.kind === "modbus-tcp" ? [link.port] : [],
          )[0] ?? 0;
        axes = fleet.axes.map(({ id }) => id);
        // The tap must know the drive before the bridge connects to it.
        void tap.ask("passTo", drivePort, OPEN_LIMIT_MS);
        return tappedFleet(fleet, ports.tapPort);
      },
    });
    const box = benchBox(running, tap, axes, ports.barePort);
    await untilAnswering(box, clock).catch(async (error: unknown) => {
      say(running.log());
      await box.stop();
      throw error;
    });
    return box;
  } catch (error) {
    await tap.stop();
    throw error;
  }
}

/** The read side builds its model before it answers. */
async function untilAnswering(box: BenchBox, clock: Clock): Promise<void> {
  const limitMs = clock.monotonicMs() + START_LIMIT_MS;
  for (;;) {
    const { status, body } = await askOnce(box.gateway, `/v1/axes/${TAPPED_AXIS}`);
    if (status === 200) return;
    if (clock.monotonicMs() > limitMs)
      throw new BenchError("too-slow", { status, body }, "the read side does not become ready");
    await sleep(clock, LOOK_MS);
  }
}

const tappedFleet = (fleet: Fleet, tapPort: number): object => ({
  ...fleet,
  links: fleet.links.map((link) => (link.id === TAPPED_LINK ? { ...link, port: tapPort } : link)),
  axes: fleet.axes.map((axis) => ({
    ...axis,
    homing: { ...axis.homing, velocity: HOMING_VELOCITY },
    ...(axis.id === TAPPED_AXIS && { poll: { ...axis.poll, idleMs: IDLE_POLL_MS } }),
  })),
});

function benchBox(running: RunningBox, tap: Worker, axes: readonly string[], barePort: number): BenchBox {
  const { hostname, port } = new URL(running.url);
  const stop = async () => {
    await running.stop();
    await tap.stop();
  };
  return {
    running,
    controller: { path: `${running.data}/run/controller.sock` },
    dashboard: { path: `${running.data}/run/dashboard.sock` },
    gateway: { host: hostname, port: Number(port) },
    axes,
    barePort,
    onWire: (listener) => tap.onNote((note) => listener(note as TapNote)),
    ready: async (axis) => void (await readyAxis(running, axis)),
    links: async () => (await running.call<Page<LinkView>>("GET", "/v1/links")).body.items,
    stop,
  };
}

/** One question over a connection of its own. */
export async function askOnce(target: Target, path: string) {
  const client = new KeepAliveClient(target);
  try {
    return await client.request("GET", path);
  } finally {
    client.close();
  }
}
