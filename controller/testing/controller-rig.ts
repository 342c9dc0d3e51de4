import { mkdtemp, rm } from "node:fs/promises";
import { Agent } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { FleetConfig } from "@servofleet/contracts";
import type { Clock, Random } from "@servofleet/runtime/clock";
import { FakeClock } from "@servofleet/runtime/fake-clock";
import { parseFleet } from "@servofleet/runtime/fleet-file";
import { type MemoryBusPair, memoryBusPair } from "@servofleet/runtime/memory-bus";
import { systemClock, systemRandom } from "@servofleet/runtime/system-clock";
import { type Controller, startController } from "../controller.ts";
import type { LiveSample } from "../controller-parts.ts";
import type { EventLog } from "../event-log/event-log.ts";
import { openEventLog } from "../event-log/open-event-log.ts";
import { type Ask, askSocket, type Reply } from "./ask-socket.ts";
import { ScriptedBridge, type ScriptedBridgeOptions } from "./scripted-bridge.ts";

const FLEET = `
box: test_box
links:
  - { id: line_a, kind: modbus-rtu, port: /dev/null, baud: 115200 }
  - { id: cell_2, kind: modbus-tcp, host: 127.0.0.1, port: 502 }
axes:
  - { id: x1, link: line_a, unit: 1, profile: test, countsPerUnit: 100, limits: { min: 0, max: 800, velocity: 500, acceleration: 5000 } }
  - { id: x2, link: line_a, unit: 2, profile: test, countsPerUnit: 100, limits: { min: 0, max: 800, velocity: 500, acceleration: 5000 } }
  - { id: z1, link: cell_2, unit: 255, profile: test, countsPerUnit: -50, limits: { min: -10, max: 100, velocity: 50, acceleration: 500 } }
groups:
  - { id: gantry, axes: [x1, x2] }
`;
export const testFleet = (): FleetConfig => parseFleet(FLEET, "fleet.yaml");

export type { Reply } from "./ask-socket.ts";

/** Virtual time that passes with each look at a condition; real time passes by itself. */
const LOOK_MS = 5;

export interface RigOptions {
  readonly config?: FleetConfig;
  /** A FakeClock stands still while the disk and the socket are at work, and goes on only in `until`. */
  readonly clock?: Clock;
  readonly random?: Random;
  /** A directory of a former life; kept. */
  readonly directory?: string;
  readonly openLog?: (directory: string, clock: Clock, random: Random) => Promise<EventLog>;
  readonly bridge?: Partial<ScriptedBridgeOptions> | null;
}

/** A whole controller over a real socket and log, with a scripted bridge on a bus in memory. */
export class ControllerRig {
  readonly directory: string;
  readonly config: FleetConfig;
  readonly pair: MemoryBusPair;
  readonly log: EventLog;
  readonly controller: Controller;
  readonly clock: Clock;
  readonly samples: LiveSample[];
  readonly lost: string[];
  readonly exits: number[];
  readonly complaints: string[];
  /** Fewer connections at once than a socket's backlog. */
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 100 });
  bridge: ScriptedBridge | undefined;

  private constructor(parts: Omit<ControllerRig, "ask" | "until" | "kill" | "end" | "newBridge" | "events" | "ready">) {
    this.directory = parts.directory;
    this.config = parts.config;
    this.pair = parts.pair;
    this.log = parts.log;
    this.controller = parts.controller;
    this.clock = parts.clock;
    this.samples = parts.samples;
    this.lost = parts.lost;
    this.exits = parts.exits;
    this.complaints = parts.complaints;
    this.bridge = parts.bridge;
  }

  static async start(options: RigOptions = {}): Promise<ControllerRig> {
    const directory = options.directory ?? (await mkdtemp(join(tmpdir(), "servofleet-controller-")));
    const { config = testFleet(), clock = systemClock(), random = systemRandom() } = options;
    const pair = memoryBusPair((channel, error) => complaints.push(`${channel}: ${String(error)}`));
    const open = options.openLog ?? ((path) => openEventLog({ directory: path, clock, random, box: config.box }));
    const log = await open(directory, clock, random);
    const [samples, lost, exits, complaints]: [LiveSample[], string[], number[], string[]] = [[], [], [], []];
    const logger = {
      info: () => undefined,
      warn: (_facts: object, message: string) => void complaints.push(message),
      error: (_facts: object, message: string) => void complaints.push(message),
    };
    const bridge =
      options.bridge === null
        ? undefined
        : new ScriptedBridge({ bus: pair.bridge, clock, axes: config.axes, ...options.bridge });
    if (bridge) bridge.onGone = () => pair.disconnect();
    const controller = await startController({
      config,
      version: "test",
      log,
      bus: pair.controller,
      telemetry: { add: (sample) => samples.push(sample), fault: () => undefined },
      clock,
      random,
      logger,
      socketPath: join(directory, "c.sock"),
      liveSocketPath: join(directory, "l.sock"),
      onBridgeLost: (reason) => lost.push(reason),
      onPoisoned: (code) => exits.push(code),
    });
    return new ControllerRig({
      directory,
      config,
      pair,
      log,
      controller,
      clock,
      samples,
      lost,
      exits,
      complaints,
      bridge,
    } as unknown as ControllerRig);
  }

  newBridge(more: Partial<ScriptedBridgeOptions> = {}): ScriptedBridge {
    const { clock, pair, config } = this;
    this.bridge = new ScriptedBridge({ bus: pair.bridge, clock, axes: config.axes, bridgeBoot: "bridge-2", ...more });
    return this.bridge;
  }

  ask(method: string, path: string, ask: Ask = {}): Promise<Reply> {
    return askSocket(this.#agent, join(this.directory, "c.sock"), method, path, ask);
  }

  /** Waits until the condition holds; the test's own limit ends a wait in vain. */
  async until(holds: () => boolean | Promise<boolean>): Promise<void> {
    while (!(await holds())) {
      await new Promise((resolve) => setTimeout(resolve, 2));
      if (this.clock instanceof FakeClock) await this.clock.advance(LOOK_MS);
    }
  }

  async ready(): Promise<this> {
    await this.until(async () => (await this.ask("GET", "/readyz")).status === 200);
    return this;
  }

  async events(stream?: string) {
    const all = await this.log.read(0, 1000);
    return stream ? all.filter((event) => event.stream === stream) : all;
  }

  /** Ends the life; the directory stays for the next. */
  async end(): Promise<void> {
    this.#agent.destroy();
    let closed = false;
    const closing = this.controller.close().finally(() => {
      closed = true;
    });
    await this.until(() => closed);
    await closing;
    this.bridge?.die();
    await this.log.close();
    await this.pair.controller.close();
    await this.pair.bridge.close();
  }

  async kill(): Promise<void> {
    await this.end();
    await rm(this.directory, { recursive: true, force: true });
  }
}
