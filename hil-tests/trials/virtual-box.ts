import { mkdtempSync, rmSync } from "node:fs";
import { Agent } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { AxisId, CommandView, FleetConfig, RecordedEvent } from "@servofleet/contracts";
import { commandView } from "@servofleet/controller/api/command-view";
import { type Controller, startController } from "@servofleet/controller/controller";
import { MemoryEventLog } from "@servofleet/controller/event-log/memory-event-log";
import { type Ask, askSocket, type Reply } from "@servofleet/controller/testing/ask-socket";
import { type Bridge, startBridge } from "@servofleet/firmware-bridge/bridge/bridge";
import { lineCost } from "@servofleet/firmware-bridge/link/bus-cost";
import { Line } from "@servofleet/firmware-bridge/link/line";
import { RtuFramer } from "@servofleet/firmware-bridge/modbus/rtu-framer";
import { loadProfile } from "@servofleet/firmware-bridge/profile/load-profile";
import type { Random } from "@servofleet/runtime/clock";
import { FakeClock, seededRandom } from "@servofleet/runtime/fake-clock";
import { parseFleet } from "@servofleet/runtime/fleet-file";
import { type MemoryBusPair, memoryBusPair } from "@servofleet/runtime/memory-bus";
import type { MessageBus } from "@servofleet/runtime/message-bus";
import type { SimulatedDrive } from "../sim/simulated-drive.ts";
import { ProcessLife } from "./process-life.ts";
import { VirtualPlant } from "./virtual-plant.ts";

/** A disk that takes its time, so that a process can die before and after its write. */
const FSYNC_MS = 2;
/** What a supervisor needs to start a process anew. */
const RESTART_MS = 200;
const STEP_MS = 1;
const QUIET = { info: () => undefined, warn: () => undefined, error: () => undefined };

export interface VirtualBoxOptions {
  readonly seed: number;
  /** One per axis, in the order of the file's axes. */
  readonly drives: readonly SimulatedDrive[];
  /** fleet.yaml with one modbus-rtu link. */
  readonly fleet: string;
  /** What an fsync takes, virtual ms. */
  readonly fsyncMs?: number;
  /** Stands between the controller and its bus: to watch or to spoil what it says. */
  readonly bus?: (end: MessageBus) => MessageBus;
}

/** What dies. `box`: controller and bridge at once, as when its host is reset. */
export type Victim = "controller" | "bridge" | "box";

/**
 * The production controller and bridge in one process, on an RTU line of simulated drives, all in virtual time; only the API's
 * socket is real. What is killed leaves as SIGKILL would leave it, and is started again as the supervisor would.
 */
export class VirtualBox {
  readonly clock = new FakeClock();
  readonly random: Random;
  readonly log: MemoryEventLog;
  readonly plant: VirtualPlant;
  readonly config: FleetConfig;
  readonly #directory = mkdtempSync(join(tmpdir(), "virtual-box-"));
  readonly #options: VirtualBoxOptions;
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 100 });
  readonly #pair: MemoryBusPair;
  #controller: { readonly life: ProcessLife; readonly running: Controller } | undefined;
  #bridge: { readonly life: ProcessLife; readonly running: Bridge; readonly successor: AbortController } | undefined;

  private constructor(options: VirtualBoxOptions) {
    this.#options = options;
    this.random = seededRandom(options.seed);
    this.config = parseFleet(options.fleet, "fleet.yaml");
    this.log = new MemoryEventLog({ clock: this.clock, random: this.random, epoch: 0 });
    this.#pair = memoryBusPair(() => undefined);
    const [link] = this.config.links;
    if (!link) throw new RangeError("a virtual box has one link");
    this.plant = new VirtualPlant(link, options.drives, this.clock, this.random);
  }

  /** Resolves when every axis was read and the box is ready. */
  static async start(options: VirtualBoxOptions): Promise<VirtualBox> {
    const box = new VirtualBox(options);
    await box.startBridge();
    await box.startController();
    await box.ready();
    return box;
  }

  drive(axis: string): SimulatedDrive {
    const found = this.config.axes.find(({ id }) => id === axis);
    return this.plant.drive(found?.unit ?? -1);
  }

  /** Kills, and starts again what is gone. Resolves when new processes run; nothing has been read by then. */
  async restart(victim: Victim, downMs = RESTART_MS): Promise<void> {
    if (victim === "bridge") {
      this.killBridge();
      await this.run(downMs);
      await this.startBridge();
      return;
    }
    await this.killController();
    if (victim === "box") this.killBridge();
    else this.#orphan();
    await this.run(downMs);
    await this.#predecessorGone();
    await Promise.all([this.startController(), this.startBridge()]);
  }

  killBridge(): void {
    this.#pair.disconnect();
    this.#bridge?.life.kill();
    this.#bridge = undefined;
  }

  async killController(): Promise<void> {
    const { life, running } = this.#controller ?? {};
    this.#controller = undefined;
    this.#pair.disconnect();
    life?.kill();
    // Its sockets close as the kernel would close them; nothing else of it does anything any more.
    if (running) await this.through(running.close());
  }

  async startController(): Promise<void> {
    const life = new ProcessLife(this.clock);
    const bus = life.bus(this.#pair.controller);
    const running = await this.through(
      startController({
        config: this.config,
        version: "trial",
        log: life.log(this.log, this.#options.fsyncMs ?? FSYNC_MS),
        bus: this.#options.bus?.(bus) ?? bus,
        telemetry: { add: () => undefined, fault: () => undefined },
        clock: life.clock,
        random: this.random,
        logger: QUIET,
        socketPath: this.#socket,
        liveSocketPath: join(this.#directory, "l.sock"),
      }),
    );
    this.#controller = { life, running };
  }

  async startBridge(): Promise<void> {
    const life = new ProcessLife(this.clock);
    const { clock } = life;
    const running = await startBridge({
      config: this.config,
      bus: life.bus(this.#pair.bridge),
      clock,
      random: this.random,
      createLink: (config, plan) =>
        new Line(config, lineCost(config), {
          ...plan,
          clock,
          random: this.random,
          log: QUIET,
          wire: life.wire(this.plant.line),
          framer: new RtuFramer(),
          broadcastUnit: 0,
          repliesHaveIds: false,
        }),
      loadProfile: (name) => loadProfile(name),
      log: QUIET,
    });
    this.#bridge = { life, running, successor: new AbortController() };
    this.#pair.connect();
  }

  ask(method: string, path: string, ask: Ask = {}): Promise<Reply> {
    return this.through(askSocket(this.#agent, this.#socket, method, path, ask));
  }

  /** The same without waiting: time has to be run by the caller. */
  send(method: string, path: string, ask: Ask = {}): Promise<Reply> {
    return askSocket(this.#agent, this.#socket, method, path, ask);
  }

  async ready(): Promise<void> {
    await this.until("the box is ready", async () => (await this.ask("GET", "/readyz")).status === 200);
  }

  /** The story of a command from the log; undefined when it was never decided. */
  async story(commandId: string): Promise<CommandView | undefined> {
    return commandView(await this.log.readCommand(commandId), this.log.logId);
  }

  async events(afterPosition = 0): Promise<readonly RecordedEvent[]> {
    const all: RecordedEvent[] = [];
    for (let at = afterPosition; ; ) {
      const page = await this.log.read(at, 1000);
      all.push(...page);
      const last = page.at(-1);
      if (!last) return all;
      at = last.position;
    }
  }

  /** Runs virtual time, with turns for the sockets in between. */
  async run(ms: number): Promise<void> {
    const untilMs = this.clock.monotonicMs() + ms;
    while (this.clock.monotonicMs() < untilMs) await this.#turn(Math.min(5, untilMs - this.clock.monotonicMs()));
  }

  /** Runs virtual time until the promise has settled. */
  async through<T>(promise: Promise<T>): Promise<T> {
    let settled = false;
    const end = () => {
      settled = true;
    };
    promise.then(end, end);
    while (!settled) await this.#turn(STEP_MS);
    return promise;
  }

  /** Runs virtual time until the condition holds; throws after `limitMs` of it. */
  async until(what: string, holds: () => boolean | Promise<boolean>, limitMs = 60_000): Promise<void> {
    const endMs = this.clock.monotonicMs() + limitMs;
    while (!(await holds())) {
      if (this.clock.monotonicMs() > endMs) throw new Error(`never within ${limitMs} virtual ms: ${what}`);
      await this.#turn(2);
    }
  }

  axisId(n: number): AxisId {
    const axis = this.config.axes[n];
    if (!axis) throw new RangeError(`no axis ${n}`);
    return axis.id;
  }

  async close(): Promise<void> {
    await this.killController();
    this.killBridge();
    this.#agent.destroy();
    rmSync(this.#directory, { recursive: true, force: true });
  }

  get #socket(): string {
    return join(this.#directory, "c.sock");
  }

  /** The channel to its controller has closed: it goes by its own policy, as `bridge-service` does. */
  #orphan(): void {
    const bridge = this.#bridge;
    if (bridge) void bridge.running.leave(bridge.successor.signal);
  }

  async #predecessorGone(): Promise<void> {
    const before = this.#bridge;
    if (!before) return;
    before.successor.abort();
    let closed = false;
    void before.running.closed.then(() => {
      closed = true;
    });
    await this.until("the bridge before is gone", () => closed, 10_000);
    before.life.kill();
    this.#bridge = undefined;
  }

  async #turn(ms: number): Promise<void> {
    await new Promise<void>((resolve) => setImmediate(resolve));
    await this.clock.advance(ms);
  }
}
