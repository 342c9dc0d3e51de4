import type { FleetConfig } from "@servofleet/contracts";
import type { WriteApi } from "@servofleet/controller/api/write-api";
import { MemoryDisk } from "./memory-disk.ts";
import { type SeedOptions, streamOf } from "./seed-options.ts";
import { SimBus } from "./sim-bus.ts";
import { simFleet } from "./sim-fleet.ts";
import { SimLife } from "./sim-life.ts";
import { SimPlant } from "./sim-plant.ts";
import { SimTime } from "./sim-time.ts";

/** One line of what happened, for whoever replays a seed. */
export interface TraceLine {
  readonly atMs: number;
  readonly text: string;
}

const TRACE_MAX = 20_000;

/** All that outlives the processes, and where they meet: time, disk, bus, machines. */
export class SimWorld {
  readonly options: SeedOptions;
  readonly config: FleetConfig;
  readonly time = new SimTime();
  readonly disk: MemoryDisk;
  readonly bus: SimBus;
  readonly plant: SimPlant;
  /** The people, the weather and the machines: whatever is never killed. */
  readonly outside: SimLife;
  readonly trace: TraceLine[] = [];
  /** Processes that crashed by themselves: always a bug. */
  readonly crashes: string[] = [];
  /** The desks of the controller of now; undefined while there is none. */
  api: WriteApi | undefined;

  constructor(options: SeedOptions) {
    const { seed, watchdog } = options;
    this.options = options;
    this.config = simFleet(options);
    this.outside = new SimLife("outside", this.time);
    this.outside.onCrash = (error) => this.crashed("outside", error);
    this.disk = new MemoryDisk(streamOf(seed, "disk"));
    this.bus = new SimBus(this.time, streamOf(seed, "bus"));
    this.bus.onFault = (channel, error) => this.crashed(`a handler of ${channel}`, error);
    this.plant = new SimPlant(this.time, this.outside, streamOf(seed, "wire"), watchdog);
  }

  get nowMs(): number {
    return this.time.nowMs;
  }

  say(text: string): void {
    if (this.trace.length < TRACE_MAX) this.trace.push({ atMs: this.nowMs, text });
  }

  crashed(who: string, error: unknown): void {
    const words = error instanceof Error ? (error.stack ?? error.message) : String(error);
    this.say(`CRASH of ${who}: ${words}`);
    this.crashes.push(`${who}: ${words}`);
  }
}
