import type { RecordedEvent } from "@servofleet/contracts";
import { alarmHistory } from "@servofleet/dashboard-api/projections/alarm-history";
import { axisBoard } from "@servofleet/dashboard-api/projections/axis-board";
import { commandHistory } from "@servofleet/dashboard-api/projections/command-history";
import { groupBoard } from "@servofleet/dashboard-api/projections/group-board";
import { linkBoard } from "@servofleet/dashboard-api/projections/link-board";
import type { Projection } from "@servofleet/dashboard-api/read-model/projection";
import { Projector } from "@servofleet/dashboard-api/read-model/projector";
import type { Clock } from "@servofleet/runtime/clock";
import { LogArchives } from "@servofleet/runtime/log-archives";
import { type LogQueries, logQueries } from "@servofleet/runtime/log-queries";
import { SimLife } from "./sim-life.ts";
import type { SimWorld } from "./sim-world.ts";

const LOOK_MS = 20;
const PAGE = 100;

/** Every projection of the read side, each with its own place in the log. */
export class SimProjections {
  readonly #all: readonly Projector<never>[];

  constructor(clock: Clock) {
    const views = [axisBoard, commandHistory, linkBoard, alarmHistory, groupBoard];
    this.#all = (views as unknown as readonly Projection<never>[]).map(
      (view) => new Projector(view, "simulation", clock),
    );
  }

  get position(): number {
    return Math.min(...this.#all.map(({ position }) => position));
  }

  /** Why one has halted; null while all go on. */
  get halted(): string | null {
    const found = this.#all.find(({ halted }) => halted !== null);
    return found ? `${found.projection.name}: ${String(found.halted)}` : null;
  }

  async handle(events: readonly RecordedEvent[]): Promise<void> {
    for (const projector of this.#all) await projector.handle(events);
  }

  async dump(): Promise<string> {
    const parts = await Promise.all(this.#all.map(async (one) => `# ${one.projection.name}\n${await one.dump()}`));
    return parts.join("");
  }
}

/** What is on the disk, as a reader of it sees the log. */
export function diskReader(world: SimWorld, life: SimLife): LogQueries {
  const connection = world.disk.connect(life);
  return logQueries(connection, new LogArchives(connection, "/nowhere"));
}

/** The read side as a process of its own: follows the log on the disk, and begins from zero when it was killed. */
export class SimReadSide {
  readonly #world: SimWorld;
  #life: SimLife | undefined;
  #lives = 0;
  projections: SimProjections;

  constructor(world: SimWorld) {
    this.#world = world;
    this.projections = new SimProjections(world.outside);
  }

  start(): void {
    const life = new SimLife(`read-side-${++this.#lives}`, this.#world.time);
    life.onCrash = (error) => this.#world.crashed(life.name, error);
    this.#life = life;
    const projections = new SimProjections(life);
    this.projections = projections;
    const reader = diskReader(this.#world, life);
    let seen = -1;
    const look = async (): Promise<void> => {
      try {
        const { version } = this.#world.disk;
        const events = seen === version ? [] : await reader.readAfter(projections.position, PAGE);
        await projections.handle(events);
        if (events.length < PAGE) seen = version;
      } catch (error) {
        // Before the first controller there is no log to read.
        this.#world.say(`the read side cannot read: ${String(error)}`);
      }
      life.after(LOOK_MS, () => void look());
    };
    void look();
  }

  kill(): void {
    this.#world.say("the read side is killed");
    this.#life?.end("killed");
    this.start();
  }

  stop(): void {
    this.#life?.end("the run is over");
  }
}
