import type { Controller } from "@servofleet/controller";
import { startController } from "@servofleet/controller/controller";
import type { EventLog } from "@servofleet/controller/event-log/event-log";
import { type Bridge, startBridge } from "@servofleet/firmware-bridge/bridge/bridge";
import { createLink } from "@servofleet/firmware-bridge/link/create-link";
import type { DriveProfile } from "@servofleet/firmware-bridge/profile/drive-profile";
import { loadProfile } from "@servofleet/firmware-bridge/profile/load-profile";
import type { Random } from "@servofleet/runtime/clock";
import { sleep } from "@servofleet/runtime/clock";
import { streamOf } from "./seed-options.ts";
import { SimLife } from "./sim-life.ts";
import { openSimLog } from "./sim-log.ts";
import type { SimWorld } from "./sim-world.ts";

const RESTART_MS = 200;
/** As in production: how long a bridge waits for the one before it. */
const PREDECESSOR_LIMIT_MS = 1500;

interface Running<T> {
  readonly life: SimLife;
  readonly random: Random;
  /** The controller that started it, of a bridge. */
  parent?: SimLife | undefined;
  service?: T;
}

/** Profiles are data and never change: read once for all runs. */
const profiles = new Map<string, DriveProfile>();
const profileOf = (name: string): DriveProfile => {
  const profile = profiles.get(name) ?? loadProfile(name);
  profiles.set(name, profile);
  return profile;
};

/** Starts controllers and bridges, and starts the next when one has died, as supervisor and bridge keeper do. */
export class SimServices {
  readonly #world: SimWorld;
  readonly #logger: {
    info(f: object, t: string): void;
    warn(f: object, t: string): void;
    error(f: object, t: string): void;
  };
  #controller: Running<Controller> | undefined;
  #bridge: Running<Bridge> | undefined;
  #lives = 0;
  #bridgeWishes = 0;
  /** Aborted when the next bridge waits for the lines. */
  #leaving = new AbortController();
  #halted = false;
  log: EventLog | undefined;
  /** Told before anything of it is lost: the states that the world was in. */
  onDeath: (who: "controller" | "bridge", why: string) => void = () => undefined;

  constructor(world: SimWorld) {
    this.#world = world;
    const note = (facts: object, text: string): void => {
      world.say(`${text} ${brief(facts)}`);
    };
    this.#logger = { info: note, warn: note, error: note };
  }

  get controller(): SimLife | undefined {
    return this.#controller?.life;
  }

  get bridge(): SimLife | undefined {
    return this.#bridge?.life;
  }

  start(): void {
    void this.#startController();
    if (this.#world.options.bridge === "alone") void this.#startBridge();
  }

  /** Nothing is started any more, and everybody is gone. */
  halt(): void {
    this.#halted = true;
    this.#controller?.life.end("the run is over");
    this.#bridge?.life.end("the run is over");
  }

  /** An orderly end of the controller: the axes first. Then it is started again. */
  async restartInOrder(): Promise<void> {
    const running = this.#controller;
    if (!running?.service) return;
    this.#world.say("the controller is asked to end in good order");
    await running.service.close();
    await this.log?.close();
    running.life.end("closed");
  }

  #newLife<T>(name: string): Running<T> {
    const { time, options } = this.#world;
    const full = `${name}-${++this.#lives}`;
    const life = new SimLife(full, time);
    life.onCrash = (error) => {
      this.#world.crashed(full, error);
      life.end("crash");
    };
    return { life, random: streamOf(options.seed, full) };
  }

  async #startController(): Promise<void> {
    if (this.#halted) return;
    const world = this.#world;
    const running = this.#newLife<Controller>("controller");
    const { life, random } = running;
    this.#controller = running;
    life.atEnd((why) => this.#controllerDied(running, why));
    if (world.options.bridge === "child") void this.#startBridge();
    try {
      const log = await openSimLog(world.disk, life, random);
      this.log = log;
      const options = { version: "simulation", socketPath: "", liveSocketPath: "", logger: this.#logger };
      running.service = await startController(
        {
          ...options,
          config: world.config,
          log,
          bus: world.bus.attach("controller", life),
          telemetry: { add: () => undefined, fault: () => undefined },
          clock: life,
          random,
          onBridgeLost: () => world.options.bridge === "child" && this.#bridge?.life.end("replaced by its controller"),
          onPoisoned: (code) => life.end(`exit ${code}`),
        },
        (api) => {
          if (life.alive) world.api = api;
        },
      );
    } catch (error) {
      world.say(`the controller could not start: ${String(error)}`);
      life.end("start failed");
    }
  }

  #controllerDied(running: Running<Controller>, why: string): void {
    const { outside, options } = this.#world;
    this.onDeath("controller", why);
    this.#world.say(`${running.life.name} has died: ${why}`);
    this.#world.api = undefined;
    this.log = undefined;
    if (options.bridge === "child") {
      // A child notices that its parent is gone, and leaves; nobody else ever speaks to it.
      this.#world.bus.release("bridge");
      outside.after(1, () => void this.#orphan());
    }
    outside.after(RESTART_MS, () => void this.#startController());
  }

  async #orphan(): Promise<void> {
    const orphan = this.#bridge;
    if (!orphan?.service || !orphan.life.alive) return;
    await orphan.service.leave(this.#leaving.signal);
    orphan.life.end("left");
  }

  async #startBridge(): Promise<void> {
    if (this.#halted) return;
    const world = this.#world;
    const wish = ++this.#bridgeWishes;
    const parent = this.#controller?.life;
    await this.#predecessorGone();
    // Whoever asked last has the newest controller behind it; a child whose parent has died meanwhile obeys nobody.
    const orphaned = world.options.bridge === "child" && parent?.alive !== true;
    if (this.#halted || wish !== this.#bridgeWishes || orphaned) return;
    const running = this.#newLife<Bridge>("bridge");
    const { life, random } = running;
    running.parent = parent;
    this.#bridge = running;
    life.atEnd((why) => this.#bridgeDied(running, why));
    const log = this.#logger;
    try {
      const bridge = await startBridge({
        config: world.config,
        bus: world.bus.attach("bridge", life),
        clock: life,
        random,
        createLink: (link, plan) =>
          createLink(link, { ...plan, clock: life, random, log }, world.plant.lines.get(link.id)?.for(life)),
        loadProfile: profileOf,
        log,
      });
      running.service = bridge;
      void bridge.closed.then(() => life.end("closed"));
    } catch (error) {
      world.crashed(life.name, error);
    }
  }

  /** One of before that still brings its axes to rest has the lines; it is waited for, not for ever. */
  async #predecessorGone(): Promise<void> {
    const before = this.#bridge;
    if (!before?.life.alive) return;
    this.#leaving.abort();
    this.#leaving = new AbortController();
    const { outside } = this.#world;
    const untilMs = outside.monotonicMs() + PREDECESSOR_LIMIT_MS;
    while (before.life.alive && outside.monotonicMs() < untilMs) await sleep(outside, 20);
  }

  #bridgeDied(running: Running<Bridge>, why: string): void {
    this.onDeath("bridge", why);
    this.#world.say(`${running.life.name} has died: ${why}`);
    const { outside, options } = this.#world;
    const alone = options.bridge === "alone";
    // A child whose controller has died leaves: the next controller brings a bridge of its own.
    const wanted = (): boolean => this.#bridge === running && (alone || running.parent?.alive === true);
    if (wanted()) outside.after(RESTART_MS, () => wanted() && void this.#startBridge());
  }
}

function brief(facts: object): string {
  const seen = JSON.stringify(facts, (_key, value: unknown) => (value instanceof Error ? String(value) : value));
  return (seen ?? "").slice(0, 300);
}
