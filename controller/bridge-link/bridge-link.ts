import {
  type AxisId,
  BEAT_LOST_MS,
  BEAT_PERIOD_MS,
  type BridgeBeat,
  type Order,
  type OrderMessage,
  type SettleRequest,
  type StopOrder,
} from "@servofleet/contracts";
import type { Clock, Timer } from "@servofleet/runtime/clock";
import type { MessageBus } from "@servofleet/runtime/message-bus";
import { BridgeClock } from "./bridge-clock.ts";

/** A process that was just started has this long until its first beat. */
export const BRIDGE_START_LIMIT_MS = 5000;

/** A question that the bridge has not answered by then was lost on the bus, or its answer is slow. */
export const DESCRIBE_AGAIN_MS = 1000;

export interface BridgeListener {
  /** A beat of a bridge that was not heard before, or was lost. `sameBoot`: it is the one we knew. */
  onSeen(bridgeBoot: string, sameBoot: boolean): void;
  onLost(reason: string): void;
}

export interface BridgeLinkParts {
  readonly bus: MessageBus;
  readonly clock: Clock;
  readonly epoch: number;
  /** Newest report that is on disk, of that boot. */
  readonly reportsSeen: (bridgeBoot: string) => number;
  /** Newest stop of every axis. */
  readonly stopGenerations: () => Readonly<Record<AxisId, number>>;
}

/** An order without what only this link knows: the bridge's clock and our epoch. */
export type Dispatch = Omit<Order, "epoch" | "notAfterMs">;

/** Beats to and from the bridge, and everything that is told to it. */
export class BridgeLink {
  readonly #parts: BridgeLinkParts;
  readonly #listener: BridgeListener;
  readonly #bridgeClock = new BridgeClock();
  readonly #ends: (() => void)[] = [];
  #timer: Timer | undefined;
  #seq = 0;
  #boot: string | null = null;
  #alive = false;
  #loss = true;
  /** Monotonic time until which silence is no loss. */
  #patientUntilMs = 0;
  #lastTickMs = 0;
  /** When `describe` was last asked without an answer since. */
  #askedMs: number | null = null;

  constructor(parts: BridgeLinkParts, listener: BridgeListener) {
    this.#parts = parts;
    this.#listener = listener;
  }

  /** Boot id of the newest bridge; null before the first beat. */
  get boot(): string | null {
    return this.#boot;
  }

  /** A bridge is heard, and can be told something. */
  get alive(): boolean {
    return this.#alive && this.#parts.bus.connected;
  }

  start(): void {
    const { bus, clock } = this.#parts;
    this.#lastTickMs = clock.monotonicMs();
    this.#patientUntilMs = this.#lastTickMs + BRIDGE_START_LIMIT_MS;
    this.#ends.push(bus.subscribe("bridge-beats", (beat) => this.#heard(beat)));
    this.#timer = clock.every(BEAT_PERIOD_MS, () => this.#tick());
    this.#tick();
  }

  /** Silence counts for nothing any more: the bridge was told to go. */
  forgiveSilence(): void {
    this.#loss = false;
  }

  stop(): void {
    this.#timer?.cancel();
    for (const end of this.#ends) end();
  }

  /**
   * False when it cannot have left (nothing was sent). `remainingMs`: of its time to start, on our clock.
   */
  order(dispatch: Dispatch, remainingMs: number): boolean {
    const { clock, epoch } = this.#parts;
    const bridgeNowMs = this.#bridgeClock.at(clock.monotonicMs());
    if (!this.alive || bridgeNowMs === null) return false;
    return this.#tell({ type: "order", order: { ...dispatch, epoch, notAfterMs: bridgeNowMs + remainingMs } });
  }

  /** Sent whether or not a bridge is heard: it may be there all the same. False when it cannot have left. */
  stopOrder(order: Omit<StopOrder, "epoch">): boolean {
    return this.#parts.bus.publish("stops", { ...order, epoch: this.#parts.epoch });
  }

  settle(settle: Omit<SettleRequest, "epoch">): boolean {
    return this.#tell({ type: "settle", settle: { ...settle, epoch: this.#parts.epoch } });
  }

  /** Asks for everything the bridge knows, again and again until it is `described`: a bus may lose the question. */
  describe(): boolean {
    const { clock, epoch, stopGenerations } = this.#parts;
    this.#askedMs = clock.monotonicMs();
    return this.#tell({ type: "describe", epoch, stopGenerations: stopGenerations() });
  }

  /** The bridge has begun to tell what it knows; the rest of its answer follows, as its reports are never lost. */
  described(): void {
    this.#askedMs = null;
  }

  authority(axis: AxisId, leaseSequence: number): boolean {
    return this.#tell({ type: "authority", epoch: this.#parts.epoch, axis, leaseSequence });
  }

  jogBeat(axis: AxisId, session: string, released: boolean): boolean {
    return this.#tell({ type: "jog-beat", epoch: this.#parts.epoch, axis, session, released });
  }

  shutDown(): boolean {
    return this.#tell({ type: "shut-down", epoch: this.#parts.epoch });
  }

  #tell(message: OrderMessage): boolean {
    return this.#parts.bus.publish("orders", message);
  }

  #heard(beat: BridgeBeat): void {
    const now = this.#parts.clock.monotonicMs();
    const known = this.#alive && beat.bridgeBoot === this.#boot;
    const sameBoot = beat.bridgeBoot === this.#boot;
    if (!sameBoot) this.#bridgeClock.forget();
    this.#boot = beat.bridgeBoot;
    this.#alive = true;
    this.#patientUntilMs = now + BEAT_LOST_MS;
    this.#bridgeClock.heard(beat, now);
    if (!known) this.#listener.onSeen(beat.bridgeBoot, sameBoot);
  }

  #tick(): void {
    const { bus, clock, epoch, reportsSeen } = this.#parts;
    const now = clock.monotonicMs();
    this.#seq += 1;
    const boot = this.#boot;
    const seen = boot === null ? 0 : reportsSeen(boot);
    bus.publish("controller-beats", { epoch, seq: this.#seq, reportsSeen: seen, bridgeBoot: boot });
    if (this.alive && this.#askedMs !== null && now - this.#askedMs >= DESCRIBE_AGAIN_MS) this.describe();
    // If it was this process that slept, beats of the bridge wait unread: hear them before judging.
    const slept = now - this.#lastTickMs > 2 * BEAT_PERIOD_MS;
    this.#lastTickMs = now;
    if (slept) this.#patientUntilMs = Math.max(this.#patientUntilMs, now + 2 * BEAT_PERIOD_MS);
    else if (now > this.#patientUntilMs) this.#lost(now);
  }

  #lost(now: number): void {
    this.#patientUntilMs = now + BRIDGE_START_LIMIT_MS;
    const started = this.#alive;
    this.#alive = false;
    this.#bridgeClock.forget();
    if (!this.#loss) return;
    this.#listener.onLost(
      started ? `no beat for ${BEAT_LOST_MS} ms` : `no bridge was heard for ${BRIDGE_START_LIMIT_MS} ms`,
    );
  }
}
