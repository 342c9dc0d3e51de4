import type { AxisId, CommandId, CommandRequest } from "@servofleet/contracts";
import type { Axis } from "@servofleet/controller/domain/axis-state";
import { type Random, sleep } from "@servofleet/runtime/clock";
import { NOBODY, type SimClient } from "./sim-client.ts";
import type { WishRecord } from "./sim-history.ts";
import type { SimWorld } from "./sim-world.ts";

const RETRIES_MAX = 3;
const TRAVEL = 700;

/** What an operator does next, by how often. */
const HABITS: readonly (readonly [
  weight: number,
  act: keyof Pick<
    SimOperator,
    | "move"
    | "moveRelative"
    | "overtake"
    | "halt"
    | "stop"
    | "stopAll"
    | "jog"
    | "lease"
    | "hurry"
    | "tinker"
    | "adjust"
    | "disable"
  >,
])[] = [
  [10, "move"],
  [4, "moveRelative"],
  [4, "overtake"],
  [2, "halt"],
  [4, "stop"],
  [1, "stopAll"],
  [3, "jog"],
  [3, "lease"],
  [3, "hurry"],
  [1, "tinker"],
  [1, "adjust"],
  [1, "disable"],
];

/** A person or program with one axis in mind: brings it to work, moves it, changes its mind, repeats what got no answer. */
export class SimOperator {
  readonly #world: SimWorld;
  readonly #client: SimClient;
  readonly #axis: AxisId;
  readonly #random: Random;
  #keys = 0;

  constructor(world: SimWorld, client: SimClient, axis: AxisId, random: Random) {
    this.#world = world;
    this.#client = client;
    this.#axis = axis;
    this.#random = random;
  }

  async work(until: () => boolean): Promise<void> {
    while (!until()) {
      await this.#pause(30, 700);
      if (!this.#world.api) continue;
      if (await this.#ready()) await this[this.#habit()]();
    }
  }

  async move(): Promise<void> {
    await this.#command({ type: "MoveAbsolute", position: this.#somewhere(), velocity: this.#speed(), ...this.#ttl() });
  }

  async moveRelative(): Promise<void> {
    const distance = Math.round((this.#random.next() - 0.5) * 40_000) / 100;
    await this.#command({ type: "MoveRelative", distance, velocity: this.#speed() });
  }

  /** A second wish while the first is under way. */
  async overtake(): Promise<void> {
    const first = this.move();
    await this.#pause(0, 120);
    const second = this.#wish({ type: "MoveAbsolute", position: this.#somewhere(), velocity: this.#speed() });
    const sent = this.#client.send(second);
    if (this.#random.next() < 0.5) {
      await sent;
      if (second.commandId) await this.#client.cancel(this.#axis, second.commandId as CommandId);
    }
    await Promise.all([first, sent]);
  }

  async halt(): Promise<void> {
    const moving = this.move();
    await this.#pause(100, 900);
    await this.#command({ type: "Halt" });
    await moving;
  }

  async stop(): Promise<void> {
    const moving = this.#random.next() < 0.7 ? this.move() : undefined;
    await this.#pause(0, this.#random.next() < 0.5 ? 25 : 500);
    this.#client.stop({ kind: "axis", id: this.#axis });
    await moving;
  }

  async stopAll(): Promise<void> {
    this.#client.stop({ kind: "all" });
  }

  /** Wishes whose time to start is short, several at once. */
  async hurry(): Promise<void> {
    const wishes = Array.from({ length: 3 }, () =>
      this.#wish({ type: "MoveAbsolute", position: this.#somewhere(), velocity: this.#speed(), ...this.#haste() }),
    );
    await Promise.all(wishes.map((wish) => this.#client.send(wish)));
    const last = wishes.at(-1)?.commandId;
    if (last && this.#random.next() < 0.5) await this.#client.cancel(this.#axis, last as CommandId);
  }

  async tinker(): Promise<void> {
    if (this.#random.next() < 0.5) await this.#command({ type: "SetPosition", position: this.#somewhere() });
    else await this.#command({ type: "MoveVelocity", velocity: this.#speed() });
  }

  /** Settings one after the other, and the last of them thought better of: only motions supersede each other. */
  async adjust(): Promise<void> {
    const wishes = Array.from({ length: 3 }, () => this.#wish({ type: "WriteParameter", ...this.#setting() }));
    const sent = wishes.map((wish) => this.#client.send(wish));
    await sent.at(-1);
    const last = wishes.at(-1)?.commandId;
    if (last && this.#random.next() < 0.7) await this.#client.cancel(this.#axis, last as CommandId);
    await Promise.all(sent);
  }

  async disable(): Promise<void> {
    await this.#command({ type: "Disable" });
  }

  async jog(): Promise<void> {
    const direction = this.#random.next() < 0.5 ? 1 : -1;
    const opened = await this.#client.jog(this.#axis, { direction, velocity: 40 });
    if (opened === NOBODY || opened === null || "problem" in opened) return;
    let { id, seq, challenge } = opened.view;
    const beats = 1 + Math.floor(this.#random.next() * 10);
    for (let n = 0; n < beats; n++) {
      await this.#pause(60, 100);
      const held = this.#world.api?.jogs.beat(id, { seq: seq + 1, challenge });
      if (!held || "problem" in held) return;
      ({ id, seq, challenge } = held.view);
    }
    // Whoever only walks away is noticed by the window.
    if (this.#random.next() < 0.5) await this.#client.ask((api) => api.jogs.release(id));
  }

  async lease(): Promise<void> {
    const onLapse = (["alarm", "halt", "stop", "disable"] as const)[Math.floor(this.#random.next() * 4)] ?? "halt";
    const granted = await this.#client.lease([this.#axis], { ttlMs: 500 + this.#random.next() * 600, onLapse });
    if (granted === NOBODY || granted === null || "problem" in granted) return this.#takeOver();
    const { id, token } = granted.lease;
    const moving = this.#command({ type: "MoveAbsolute", position: this.#somewhere(), velocity: 80 }, token);
    await this.#pause(50, 450);
    const draw = this.#random.next();
    if (draw < 0.3) await this.#client.ask((api) => api.leaseDesk.giveBack(id, token));
    else if (draw < 0.45) await this.#client.take(id);
    await moving;
  }

  async #takeOver(): Promise<void> {
    const held = this.#world.api?.leases.holder(this.#axis);
    if (held && this.#random.next() < 0.5) await this.#client.take(held.id);
  }

  /** Whether the axis may be moved; else one step towards it. */
  async #ready(): Promise<boolean> {
    const axis = this.#world.api?.book.current(this.#axis);
    if (!axis) return false;
    if (axis.reconcileRequired) {
      const decision = this.#random.next() < 0.5 ? "adopt" : "abandon";
      await this.#client.reconcile(this.#axis, decision);
      return false;
    }
    const step = nextStep(axis);
    // Now and then somebody tries all the same.
    if (!step || this.#random.next() < 0.05) return true;
    await this.#command(step);
    if (step.type === "Home" && this.#random.next() < 0.2) {
      await this.#pause(50, 600);
      this.#client.stop({ kind: "axis", id: this.#axis });
    }
    return false;
  }

  async #command(request: CommandRequest, leaseToken?: string): Promise<void> {
    const wish = this.#wish(request);
    for (let n = 0; n < RETRIES_MAX; n++) {
      const twin = this.#random.next() < 0.1 ? this.#client.send(wish, leaseToken) : undefined;
      const answer = await this.#client.send(wish, leaseToken);
      await twin;
      const again = answer === "none" || answer === "not-taken" || this.#random.next() < 0.1;
      if (!again) return;
      await this.#pause(50, 600);
    }
  }

  #wish(request: CommandRequest): WishRecord {
    return this.#client.wish(`${this.#client.principal}-${this.#axis}-${++this.#keys}`, this.#axis, request);
  }

  #habit() {
    const all = HABITS.reduce((sum, [weight]) => sum + weight, 0);
    let draw = this.#random.next() * all;
    for (const [weight, act] of HABITS) {
      draw -= weight;
      if (draw < 0) return act;
    }
    return "move";
  }

  /** A place that no other wish names: the drive's record then tells whose motion it was. */
  #somewhere = (): number => Math.round((20 + this.#random.next() * TRAVEL) * 100) / 100;
  #speed = (): number => 40 + Math.floor(this.#random.next() * 260);
  #ttl = (): { ttlMs?: number } =>
    this.#random.next() < 0.3 ? { ttlMs: 60 + Math.floor(this.#random.next() * 300) } : {};

  /** So wide that no motion is affected. */
  #setting = (): { parameter: string; value: number } =>
    this.#axis === "z1"
      ? { parameter: "followingErrorWindow", value: 1_000_000 + Math.floor(this.#random.next() * 1000) }
      : { parameter: "followingErrorLimit", value: 60_000 + Math.floor(this.#random.next() * 1000) };

  #haste = (): { ttlMs?: number } => (this.#random.next() < 0.7 ? { ttlMs: 50 } : {});

  #pause(fromMs: number, toMs: number): Promise<void> {
    return sleep(this.#world.outside, fromMs + this.#random.next() * (toMs - fromMs));
  }
}

/** What an axis needs before it can be moved. */
function nextStep(axis: Axis): CommandRequest | null {
  if (axis.stopLatched || axis.fault) return { type: "Reset" };
  if (!axis.enabled) return { type: "Enable" };
  if (axis.config.homing.required && !axis.homed) return { type: "Home" };
  return null;
}
