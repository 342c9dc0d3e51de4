import type { BusChannel, BusChannels } from "@servofleet/contracts";
import { BusSubscribers } from "@servofleet/runtime/bus-subscribers";
import type { Random } from "@servofleet/runtime/clock";
import type { MessageBus } from "@servofleet/runtime/message-bus";
import type { SimLife, Step } from "./sim-life.ts";
import type { SimTime } from "./sim-time.ts";

export type BusRole = "controller" | "bridge";

/** What happens to messages on the way, as shares of all (0 to 1). */
export interface BusFaults {
  lost: number;
  twice: number;
  /** Up to so much later than usual, ms; order is kept. */
  lateMs: number;
}

/** Who sees what arrives, and when. */
export type BusTap = <C extends BusChannel>(to: BusRole, channel: C, message: BusChannels[C]) => void;

const HOP_MS = 0.1;
const STEP_OF: Readonly<Partial<Record<BusChannel, Step>>> = {
  orders: "order",
  stops: "stop",
  reports: "report",
  "controller-beats": "beat",
  "bridge-beats": "beat",
};

/** The bus between controllers and bridges as they come and go. */
export class SimBus {
  readonly faults: BusFaults = { lost: 0, twice: 0, lateMs: 0 };
  /** Messages that a fault has met. */
  readonly tally = { lost: 0, twice: 0 };
  onArrival: BusTap = () => undefined;
  onFault: (channel: string, error: unknown) => void = () => undefined;
  readonly #time: SimTime;
  readonly #random: Random;
  readonly #ends = new Map<BusRole, SimBusEnd>();
  readonly #lastMs = new Map<string, number>();
  #cut = false;
  /** Raised whenever the connection ends: what was under way is not delivered after it. */
  #session = 0;

  constructor(time: SimTime, random: Random) {
    this.#time = time;
    this.#random = random;
  }

  /** The end of a new process; one of the same role before it is gone. */
  attach(role: BusRole, life: SimLife): MessageBus {
    this.#detach(role);
    const end = new SimBusEnd(this, role, life);
    life.atEnd(() => this.#ends.get(role) === end && this.#detach(role));
    this.#ends.set(role, end);
    this.#tell();
    return end;
  }

  cut(cut: boolean): void {
    if (cut && !this.#cut) this.#session++;
    this.#cut = cut;
    this.#tell();
  }

  connectedTo(end: SimBusEnd): boolean {
    return !this.#cut && this.#ends.get(end.role) === end && this.#ends.size === 2;
  }

  /** Whoever has that role is cut off for good. */
  release(role: BusRole): void {
    this.#detach(role);
  }

  drop(end: SimBusEnd): void {
    if (this.#ends.get(end.role) === end) this.#detach(end.role);
  }

  carry<C extends BusChannel>(from: SimBusEnd, channel: C, message: BusChannels[C]): boolean {
    if (!this.connectedTo(from)) return false;
    const text = JSON.stringify(message);
    const to: BusRole = from.role === "controller" ? "bridge" : "controller";
    const { lost, twice } = this.faults;
    const times = this.#random.next() < lost ? 0 : this.#random.next() < twice ? 2 : 1;
    if (times === 0) this.tally.lost++;
    if (times === 2) this.tally.twice++;
    for (let n = 0; n < times; n++) this.#deliverLater(from.role + channel, to, channel, text);
    return true;
  }

  #deliverLater(way: string, to: BusRole, channel: BusChannel, text: string): void {
    const session = this.#session;
    const { lateMs } = this.faults;
    const hopMs = HOP_MS * (0.5 + this.#random.next()) + (lateMs > 0 ? lateMs * this.#random.next() ** 4 : 0);
    const atMs = Math.max(this.#time.nowMs + hopMs, this.#lastMs.get(way) ?? 0);
    this.#lastMs.set(way, atMs);
    this.#time.schedule(atMs - this.#time.nowMs, () => {
      const end = this.#ends.get(to);
      if (!end?.life.alive || session !== this.#session) return;
      const message = JSON.parse(text) as BusChannels[BusChannel];
      this.onArrival(to, channel, message as never);
      end.subscribers.deliver(channel, message);
    });
  }

  #detach(role: BusRole): void {
    const gone = this.#ends.get(role);
    if (!gone) return;
    this.#ends.delete(role);
    this.#session++;
    gone.tell(false);
    this.#tell();
  }

  #tell(): void {
    for (const end of this.#ends.values()) end.tell(this.connectedTo(end));
  }
}

class SimBusEnd implements MessageBus {
  readonly role: BusRole;
  readonly life: SimLife;
  readonly subscribers: BusSubscribers;
  readonly #bus: SimBus;
  #told = false;

  constructor(bus: SimBus, role: BusRole, life: SimLife) {
    this.#bus = bus;
    this.role = role;
    this.life = life;
    this.subscribers = new BusSubscribers((channel, error) => bus.onFault(channel, error));
  }

  get connected(): boolean {
    return this.#bus.connectedTo(this);
  }

  publish<C extends BusChannel>(channel: C, message: BusChannels[C]): boolean {
    const step = STEP_OF[channel];
    if (!step) return this.life.alive && this.#bus.carry(this, channel, message);
    return this.life.does(step, () => this.#bus.carry(this, channel, message)) ?? false;
  }

  subscribe<C extends BusChannel>(channel: C, handler: (message: BusChannels[C]) => void): () => void {
    return this.subscribers.subscribe(channel, handler);
  }

  onConnection(listener: (connected: boolean) => void): () => void {
    return this.subscribers.onConnection(listener);
  }

  tell(connected: boolean): void {
    if (connected === this.#told) return;
    this.#told = connected;
    // As from a socket: never inside the call that caused it.
    this.life.soon(() => this.subscribers.tellConnection(connected));
  }

  async close(): Promise<void> {
    this.#bus.drop(this);
  }
}
