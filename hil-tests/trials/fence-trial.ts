import type { AxisId, OrderMessage, Report } from "@servofleet/contracts";
import { VirtualBox } from "./virtual-box.ts";
import { AXIS_MAX, virtualFleet } from "./virtual-fleet.ts";
import { spoiledBus } from "./watched-bus.ts";

const AXES = 4;
const MODELS = Array.from({ length: AXES }, () => "leadshine-icl-rs" as const);
/** A slow line: orders wait their turn while control changes hands. */
const BAUD = 9600;
const COUNTS_PER_UNIT = 100;
/** Each command has a target of its own, so that a start in a drive's record names its command. */
const STEP = 0.05;
const LATE_EVERY = 3;
const PAUSE_MS = 400;
const HASTE_MS = 20;
/** So often somebody without control takes it from its holder, and so often a holder gives it back. */
const TAKES = 0.05;
const GIVES_BACK = 0.7;
const MOVES_PER_LEASE = 3;
/** Times are taken in µs of one virtual clock; a frame's own instant is rounded to one. */
const ROUNDING_US = 1;

export interface FenceOptions {
  readonly seed: number;
  readonly clients: number;
  /** Of all clients together. */
  readonly operations: number;
  /** A bridge that is not told of fencing numbers: the trial has to find it out. */
  readonly unfenced?: boolean;
}

export interface FenceResult {
  readonly seed: number;
  readonly clients: number;
  readonly operations: number;
  readonly leases: number;
  readonly takenOver: number;
  readonly accepted: number;
  /** Answers 423: the axis was another's, or the token too old. */
  readonly leased: number;
  /** Orders that the bridge refused because control had changed hands. */
  readonly refusedAsStale: number;
  readonly starts: number;
  /** Starts at a drive under a fencing number that the bridge had been told to be over. */
  readonly stale: number;
  readonly broken: readonly string[];
}

interface Fence {
  /** Newest number of control that the bridge was told, and when, µs. */
  readonly told: Map<AxisId, { readonly sequence: number; readonly atUs: number }[]>;
  readonly sequences: Map<string, number>;
  /** Orders on a slow way, by axis. */
  readonly late: Map<AxisId, OrderMessage[]>;
  /** First byte of each order, µs, as the bridge saw it: also of those that had ended by the time it was told. */
  readonly firstByteUs: Map<string, number>;
}

/** Many clients who lease, move, give back and take over the same few axes; every start at a drive is held against the fence. */
export async function runFence(options: FenceOptions): Promise<FenceResult> {
  const { seed, unfenced = false } = options;
  const fence: Fence = { told: new Map(), sequences: new Map(), late: new Map(), firstByteUs: new Map() };
  const wallUs = () => box?.clock.wallUs() ?? 0;
  const orders = (message: OrderMessage): readonly OrderMessage[] => watched(message, fence, wallUs, unfenced);
  const report = (one: Report): void => {
    if (one.type === "order-sent") fence.firstByteUs.set(one.commandId, one.atUs);
  };
  let box: VirtualBox | undefined;
  const fleet = virtualFleet({ models: MODELS, baud: BAUD });
  box = await VirtualBox.start({ seed, ...fleet, bus: (end) => spoiledBus(end, { orders, report }) });
  try {
    return await new FenceTrial(box, options, fence).run();
  } finally {
    await box.close();
  }
}

/** Sees what the bridge is told of control, and lets every third order arrive behind the next change of it, as a slow way would. */
function watched(
  message: OrderMessage,
  fence: Fence,
  wallUs: () => number,
  unfenced: boolean,
): readonly OrderMessage[] {
  if (message.type === "authority") {
    const { axis, leaseSequence: sequence } = message;
    fence.told.set(axis, [...(fence.told.get(axis) ?? []), { sequence, atUs: wallUs() }]);
    const late = fence.late.get(axis) ?? [];
    fence.late.delete(axis);
    return [message, ...late];
  }
  if (message.type !== "order") return [message];
  const { commandId, leaseSequence, axis } = message.order;
  fence.sequences.set(commandId, leaseSequence);
  const order = unfenced ? { ...message.order, leaseSequence: Number.MAX_SAFE_INTEGER } : message.order;
  if (message.order.action.kind !== "move-absolute" || fence.sequences.size % LATE_EVERY !== 0)
    return [{ ...message, order }];
  fence.late.set(axis, [...(fence.late.get(axis) ?? []), { ...message, order }]);
  return [];
}

class FenceTrial {
  readonly #box: VirtualBox;
  readonly #options: FenceOptions;
  readonly #fence: Fence;
  /** Targets in counts, by axis, and whose command it is. */
  readonly #targets = new Map<string, string>();
  #left: number;
  #targetsGiven = 0;
  #tally = { leases: 0, takenOver: 0, accepted: 0, leased: 0 };

  constructor(box: VirtualBox, options: FenceOptions, fence: Fence) {
    this.#box = box;
    this.#options = options;
    this.#fence = fence;
    this.#left = options.operations;
  }

  async run(): Promise<FenceResult> {
    const { clients, seed, operations } = this.#options;
    const box = this.#box;
    for (const { id } of box.config.axes) await this.#prepare(id);
    await box.through(Promise.all(Array.from({ length: clients }, () => this.#client())));
    await box.run(2000);
    const events = await box.events();
    const stale = "control over the axis changed hands";
    const refusedAsStale = events.filter(
      ({ type, data }) => type === "CommandFailed" && JSON.stringify(data).includes(stale),
    ).length;
    const { starts, broken } = this.#judge();
    return { seed, clients, operations, ...this.#tally, refusedAsStale, starts, stale: broken.length, broken };
  }

  /** One client until all operations are used up: takes control somehow, moves, and lets go or is overtaken. */
  async #client(): Promise<void> {
    const { random, config } = this.#box;
    while (this.#left-- > 0) {
      const axis = config.axes[Math.floor(random.next() * AXES)]?.id ?? this.#box.axisId(0);
      const token = await this.#control(axis);
      for (let n = 0; n < MOVES_PER_LEASE; n++) await this.#move(axis, token);
      // Half of them let go while their last order is still on its way.
      const lets = token !== undefined && random.next() < 0.5;
      await this.#pause(lets ? random.next() * HASTE_MS : random.next() * PAUSE_MS);
      if (lets || random.next() < GIVES_BACK) await this.#giveBack(axis, token);
      // What a client sends that has not noticed that its lease is over.
      if (random.next() < 0.3) await this.#move(axis, token);
    }
  }

  async #control(axis: AxisId): Promise<string | undefined> {
    const terms = { ttlMs: 2000, onLapse: "alarm" };
    const granted = await this.#box.send("POST", "/v1/leases", { body: { axes: [axis], ...terms } });
    if (granted.status === 201) {
      this.#tally.leases += 1;
      return `${granted.body["id"]} ${granted.body["token"]}`;
    }
    if (this.#box.random.next() >= TAKES) return undefined;
    const { body } = await this.#box.send("GET", "/v1/leases");
    const held = (body["items"] as { id: string; axes: string[] }[]).find(({ axes }) => axes.includes(axis));
    if (!held) return undefined;
    const taken = await this.#box.send("POST", `/v1/leases/${held.id}/take`, { body: { reason: "trial", ...terms } });
    if (taken.status !== 201) return undefined;
    this.#tally.takenOver += 1;
    await this.#post(axis, { type: "Reset" }, String(taken.body["token"]));
    return `${taken.body["id"]} ${taken.body["token"]}`;
  }

  async #giveBack(axis: AxisId, held: string | undefined): Promise<void> {
    const [id, token] = held?.split(" ") ?? [];
    if (!id || !token) return;
    await this.#box.send("DELETE", `/v1/leases/${id}`, { headers: { "lease-token": token } });
    // A stop that a take-over brought is released for the next one.
    await this.#post(axis, { type: "Reset" });
  }

  async #move(axis: AxisId, held: string | undefined): Promise<void> {
    this.#targetsGiven += 1;
    const position = (this.#targetsGiven * STEP) % AXIS_MAX;
    const answer = await this.#post(axis, { type: "MoveAbsolute", position, velocity: 300 }, held?.split(" ")[1]);
    if (answer.status === 423) this.#tally.leased += 1;
    if (answer.status !== 202) return;
    this.#tally.accepted += 1;
    this.#targets.set(`${axis} ${Math.round(position * COUNTS_PER_UNIT)}`, String(answer.body.commandId));
  }

  #post(axis: AxisId, body: object, token?: string) {
    const headers: Record<string, string> = token === undefined ? {} : { "lease-token": token };
    return this.#box.send("POST", `/v1/axes/${axis}/commands`, { body, headers });
  }

  async #prepare(axis: AxisId): Promise<void> {
    const answer = this.#box.send("POST", `/v1/axes/${axis}/commands`, {
      body: { type: "Enable" },
      headers: { prefer: "wait=10" },
    });
    await this.#box.through(answer);
  }

  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => void this.#box.clock.after(ms, resolve));
  }

  /** A start is stale when the bridge had been told of a newer number before the first byte of its order. */
  #judge(): { readonly starts: number; readonly broken: readonly string[] } {
    const broken: string[] = [];
    let starts = 0;
    for (const { id: axis } of this.#box.config.axes) {
      for (const { kind, target } of this.#box.drive(axis).record.list()) {
        if (!kind.startsWith("start")) continue;
        starts += 1;
        const commandId = this.#targets.get(`${axis} ${target}`);
        const sequence = this.#fence.sequences.get(commandId ?? "");
        const firstByteUs = this.#fence.firstByteUs.get(commandId ?? "");
        if (commandId === undefined || sequence === undefined || firstByteUs === undefined) {
          broken.push(`${axis}: a start to ${target} that nobody was promised`);
          continue;
        }
        const newer = this.#fence.told.get(axis)?.find((told) => told.sequence > sequence);
        if (newer && newer.atUs + ROUNDING_US < firstByteUs)
          broken.push(`${axis}: ${commandId} after its control was over`);
      }
    }
    return { starts, broken };
  }
}
