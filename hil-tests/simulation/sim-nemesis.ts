import type { Random } from "@servofleet/runtime/clock";
import type { Step } from "./sim-life.ts";
import type { SimServices } from "./sim-services.ts";
import { NO_WIRE_FAULTS } from "./sim-wire.ts";
import type { SimWorld } from "./sim-world.ts";

/** The world needs so long to be ready before anything is held against it, ms. */
const QUIET_MS = 800;
const CONTROLLER_STEPS: readonly Step[] = ["append", "commit", "commit", "order", "order", "stop", "beat"];
const BRIDGE_STEPS: readonly Step[] = ["wire", "wire", "report", "report", "beat"];

/** What the seed has in store for the house: every fault at its moment, and in the end their healing. */
export class SimNemesis {
  readonly #world: SimWorld;
  readonly #services: SimServices;
  readonly #random: Random;
  #healed = false;
  /** Told of what is about to be done: the states that the world was in. */
  onDeed: (deed: string) => void = () => undefined;

  constructor(world: SimWorld, services: SimServices, random: Random) {
    this.#world = world;
    this.#services = services;
    this.#random = random;
  }

  plan(): void {
    const { options } = this.#world;
    this.#times(options.controllerDeaths, () => this.#killController());
    this.#times(options.bridgeDeaths, () => this.#killBridge());
    this.#times(options.diskFaults, () => this.#breakDisk());
    this.#times(options.driveResets, () => this.#resetDrive());
    this.#times(options.linkCuts, () => this.#cutLink());
    this.#times(options.busCuts, () => this.#cutBus());
    this.#times(options.clockSteps, () => this.#stepClock());
    this.#world.outside.after(QUIET_MS, () => this.#spoilLines());
  }

  /** From here nothing more goes wrong, and everything has to come right. */
  heal(): void {
    const { disk, bus, plant } = this.#world;
    this.#healed = true;
    Object.assign(disk.faults, { full: false, slowMs: 0, failNext: null });
    Object.assign(bus.faults, { lost: 0, twice: 0, lateMs: 0 });
    bus.cut(false);
    for (const line of plant.lines.values()) {
      Object.assign(line.faults, NO_WIRE_FAULTS);
      line.plug();
    }
    this.#services.controller?.spare();
    this.#services.bridge?.spare();
  }

  #times(count: number, act: () => void): void {
    const { outside, options } = this.#world;
    for (let n = 0; n < count; n++) {
      const atMs = QUIET_MS + this.#random.next() * (options.busyMs - QUIET_MS);
      outside.after(atMs, () => !this.#healed && act());
    }
  }

  #spoilLines(): void {
    const { options, plant, bus } = this.#world;
    const { lostFrames: lost, corruptedFrames: corrupted, cutFrames: cut, lateFrames: late } = options;
    for (const line of plant.lines.values()) Object.assign(line.faults, { lost, corrupted, cut, late });
    const { lostMessages, doubledMessages: twice, lateMessagesMs: lateMs } = options;
    Object.assign(bus.faults, { lost: lostMessages, twice, lateMs });
  }

  #killController(): void {
    const life = this.#services.controller;
    if (this.#random.next() < 0.15) return void this.#services.restartInOrder();
    if (!life) return;
    if (this.#random.next() < 0.3) life.end("killed");
    else life.dieAt({ step: this.#of(CONTROLLER_STEPS), left: 1 + this.#upTo(4), when: this.#when() });
  }

  #killBridge(): void {
    const life = this.#services.bridge;
    if (!life) return;
    if (this.#random.next() < 0.3) life.end("killed");
    else life.dieAt({ step: this.#of(BRIDGE_STEPS), left: 1 + this.#upTo(30), when: this.#when() });
  }

  #breakDisk(): void {
    const { disk, outside } = this.#world;
    const draw = this.#random.next();
    if (draw < 0.4) {
      this.#deed("the disk is full");
      disk.faults.full = true;
      outside.after(300 + this.#random.next() * 2000, () => {
        disk.faults.full = false;
      });
    } else if (draw < 0.75) {
      this.#deed("the disk is slow");
      disk.faults.slowMs = 50 + this.#random.next() * 500;
      outside.after(300 + this.#random.next() * 2000, () => {
        disk.faults.slowMs = 0;
      });
    } else {
      this.#deed("the disk fails");
      disk.faults.failNext = this.#random.next() < 0.5 ? "written" : "lost";
    }
  }

  #resetDrive(): void {
    const [axis, drive] = this.#of([...this.#world.plant.drives]);
    this.#deed(`drive ${axis} loses its mains`);
    drive.advance(BigInt(this.#world.time.nowNs));
    drive.powerCycle();
  }

  #cutLink(): void {
    const [link, line] = this.#of([...this.#world.plant.lines]);
    this.#deed(`link ${link} is cut`);
    line.unplug();
    this.#world.outside.after(100 + this.#random.next() * 1200, () => line.plug());
  }

  #cutBus(): void {
    const { bus, outside } = this.#world;
    this.#deed("the bus is cut");
    bus.cut(true);
    outside.after(50 + this.#random.next() * 1500, () => bus.cut(false));
  }

  #stepClock(): void {
    const hours = [-87_600, -1, 1, 240][this.#upTo(4)] ?? 1;
    this.#deed(`the wall clock is set by ${hours} h`);
    this.#world.time.stepWall(hours * 3_600_000_000);
  }

  #deed(text: string): void {
    this.#world.say(text);
    this.onDeed(text);
  }

  #upTo = (n: number): number => Math.floor(this.#random.next() * n);
  #when = (): "before" | "after" => (this.#random.next() < 0.5 ? "before" : "after");
  #of = <T>(choices: readonly T[]): T => choices[this.#upTo(choices.length)] as T;
}
