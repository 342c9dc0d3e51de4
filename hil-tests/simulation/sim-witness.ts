import type { AxisId, BusChannel, BusChannels, OrderRefusal } from "@servofleet/contracts";
import type { RareState } from "./rare-state.ts";
import type { BusRole } from "./sim-bus.ts";
import type { SimWorld } from "./sim-world.ts";

/** A stop as it arrived at a bridge. */
export interface ArrivedStop {
  readonly axis: AxisId;
  readonly stopId: string;
  readonly generation: number;
  /** Of the controller that sent it. */
  readonly epoch: number;
  readonly atMs: number;
}

/** A frame and its answer are through by then, ms. */
const IN_FLIGHT_MS = 3;

const REFUSALS: Readonly<Partial<Record<OrderRefusal, RareState>>> = {
  "stale-generation": "order refused by the bridge: a stop had come first",
  "stale-lease": "order refused by the bridge: control had changed hands",
  expired: "order refused by the bridge: its time to start was over",
};

/** Sees what passes between the processes, and the state of the world at the moments that matter. */
export class SimWitness {
  readonly reached = new Set<RareState>();
  readonly stops: ArrivedStop[] = [];
  /** Highest epoch that any bridge had heard of, and since when. */
  readonly epochs: { readonly epoch: number; readonly atMs: number }[] = [];
  readonly #world: SimWorld;

  constructor(world: SimWorld) {
    this.#world = world;
    world.bus.onArrival = (to, channel, message) => this.#arrived(to, channel, message);
  }

  died(who: "controller" | "bridge"): void {
    const { plant, api, disk } = this.#world;
    if (plant.anyMoving) this.reached.add(`${who} killed while an axis moved`);
    if (who !== "controller") return;
    if (api?.unready() === "axes are being read") this.reached.add("controller killed before it had read every axis");
    if (disk.writing > 0) disk.writing = 0;
  }

  deed(text: string): void {
    const { anyMoving } = this.#world.plant;
    if (text === "the disk fails") this.reached.add("disk failed under a commit");
    if (!anyMoving) return;
    if (text === "the disk is full") this.reached.add("disk full while an axis moved");
    if (text.startsWith("drive")) this.reached.add("drive lost its mains while an axis moved");
    if (text.startsWith("link")) this.reached.add("link lost while an axis moved");
    if (text.startsWith("the wall clock")) this.reached.add("wall clock set while an axis moved");
  }

  #arrived<C extends BusChannel>(to: BusRole, channel: C, message: BusChannels[C]): void {
    if (to === "bridge" && typeof message === "object" && "epoch" in message) this.#heard(Number(message.epoch));
    if (channel === "stops") this.#stop(message as BusChannels["stops"]);
    if (channel === "reports") this.#report(message as BusChannels["reports"]);
  }

  #heard(epoch: number): void {
    if (epoch > (this.epochs.at(-1)?.epoch ?? 0)) this.epochs.push({ epoch, atMs: this.#world.nowMs });
  }

  #stop({ axis, stopId, epoch, stopGeneration, reason }: BusChannels["stops"]): void {
    const { nowMs, plant, disk, api, config } = this.#world;
    this.stops.push({ axis, stopId, generation: stopGeneration, epoch, atMs: nowMs });
    const link = config.axes.find(({ id }) => id === axis)?.link;
    const last = plant.book.writes.at(-1);
    const lastLink = config.axes.find(({ id }) => id === last?.axis)?.link;
    if (last && lastLink === link && nowMs - last.atMs < IN_FLIGHT_MS)
      this.reached.add("stop arrived while a write was in flight");
    if (disk.writing > 0) this.reached.add("stop arrived while a commit was in flight");
    if (reason === "person" && api?.log.trouble) this.reached.add("stop raised while the log could not record it");
    // What the stop meets: it has been decided already, and is not yet on the disk.
    if (api?.book.committed(axis).state === "homing") this.reached.add("stop while homing");
  }

  #report({ report }: BusChannels["reports"]): void {
    if (report.type !== "order-refused") return;
    const reached = REFUSALS[report.reason];
    if (reached) this.reached.add(reached);
  }
}
