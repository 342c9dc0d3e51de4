import {
  type AxisConfig,
  type AxisId,
  type AxisStatus,
  BEAT_PERIOD_MS,
  COMMAND_TYPES,
  type ControllerBeat,
  type Order,
  type OrderMessage,
  type Report,
  type StopOrder,
} from "@servofleet/contracts";
import type { Clock, Timer } from "@servofleet/runtime/clock";
import type { MessageBus } from "@servofleet/runtime/message-bus";

export interface ScriptedBridgeOptions {
  readonly bus: MessageBus;
  readonly clock: Clock;
  readonly axes: readonly AxisConfig[];
  readonly bridgeBoot?: string;
  /** Drives as they are found. */
  readonly found?: Partial<AxisStatus>;
}

const ENABLED: Partial<AxisStatus> = { enabled: true, homed: true };

/**
 * The bridge's side of the bus for tests of the controller: speaks orders and reports as the contracts say, numbers and
 * repeats its reports, and keeps the record of everything it was told. Its drives obey at once unless told otherwise.
 */
export class ScriptedBridge {
  readonly bridgeBoot: string;
  readonly heard: (OrderMessage | { readonly type: "stop"; readonly stop: StopOrder })[] = [];
  readonly beats: ControllerBeat[] = [];
  readonly status = new Map<AxisId, AxisStatus>();
  /** What a drive does with an order; the default finishes it at once. */
  onOrder: (order: Order) => void = (order) => this.finish(order);
  onStop: (stop: StopOrder) => void = (stop) => this.acknowledgeStop(stop);
  answersDescribe = true;
  /** Its process has ended: what a real channel shows by breaking. */
  onGone: () => void = () => undefined;
  readonly #options: ScriptedBridgeOptions;
  readonly #reports: Report[] = [];
  readonly #ends: (() => void)[] = [];
  readonly #timer: Timer;
  #beatSeq = 0;
  #repeatFrom = 0;

  constructor(options: ScriptedBridgeOptions) {
    const { bus, clock, axes } = options;
    this.#options = options;
    this.bridgeBoot = options.bridgeBoot ?? "bridge-1";
    for (const { id } of axes) this.status.set(id, this.#found(id));
    this.#ends.push(
      bus.subscribe("orders", (message) => this.#told(message)),
      bus.subscribe("stops", (stop) => {
        this.heard.push({ type: "stop", stop });
        this.onStop(stop);
      }),
      bus.subscribe("controller-beats", (beat) => this.#repeat(beat)),
    );
    this.#timer = clock.every(BEAT_PERIOD_MS, () => this.beat());
    this.beat();
  }

  get orders(): readonly Order[] {
    return this.heard.flatMap((message) => (message.type === "order" ? [message.order] : []));
  }

  get stops(): readonly StopOrder[] {
    return this.heard.flatMap((message) => (message.type === "stop" ? [message.stop] : []));
  }

  /** As SIGKILL: nothing is heard or said any more. */
  die(): void {
    this.#timer.cancel();
    for (const end of this.#ends.splice(0)) end();
  }

  beat(): void {
    const { bus, clock } = this.#options;
    this.#beatSeq += 1;
    const { bridgeBoot } = this;
    const reportSeq = this.#reports.length;
    bus.publish("bridge-beats", { bridgeBoot, seq: this.#beatSeq, monotonicMs: clock.monotonicMs(), reportSeq });
  }

  report(report: Report): void {
    this.#reports.push(report);
    this.#send(this.#reports.length);
  }

  /** Numbered but lost on the way. */
  reportLost(report: Report): void {
    this.#reports.push(report);
  }

  reading(axis: AxisId, change: Partial<AxisStatus> = {}): void {
    const before = this.status.get(axis) ?? this.#found(axis);
    const status = { ...before, reads: before.reads + 1, ...change };
    this.status.set(axis, status);
    this.report({ type: "axis-status", status });
  }

  describe(): void {
    const axes = this.#options.axes.map(({ id, profile }) => ({
      axis: id,
      profile,
      commands: COMMAND_TYPES,
      parameters: ["positionGain"],
      commLoss: { supported: true, reaction: "stops" },
      positionWindowCounts: 10,
    }));
    this.report({ type: "bridge-ready", bridgeBoot: this.bridgeBoot, axes });
    for (const { id } of this.#options.axes) this.reading(id, { reads: 2 });
  }

  /** The order is taken: sent and acknowledged. */
  acknowledge(order: Order): void {
    const { orderId, commandId, axis, action } = order;
    const targetCounts = action.kind === "move-absolute" ? action.targetCounts : null;
    const of = { orderId, commandId, axis, atUs: this.#options.clock.wallUs() };
    this.report({
      ...of,
      type: "order-sent",
      frames: [{ direction: "tx", at: "2026-11-21T10:00:00.000000Z", hex: "0310" }],
    });
    this.report({ ...of, type: "order-acknowledged", targetCounts, settledByReading: false, frames: [] });
  }

  move(order: Order, positionCounts = 0): void {
    const { commandId, axis } = order;
    this.acknowledge(order);
    this.report({ type: "motion-started", commandId, axis, atUs: 1, positionCounts, frames: [] });
    this.reading(order.axis, { moving: true });
  }

  finish(order: Order): void {
    const { commandId, axis, action } = order;
    this.acknowledge(order);
    const positionCounts = action.kind === "move-absolute" ? action.targetCounts : 0;
    this.report({ type: "order-done", commandId, axis, atUs: 1, positionCounts, summary: null, frames: [] });
    const power = action.kind === "disable" ? { enabled: false } : action.kind === "enable" ? { enabled: true } : {};
    this.reading(order.axis, { moving: false, positionCounts, ...power });
  }

  acknowledgeStop({ stopId, axis, stopGeneration, reason }: StopOrder): void {
    const facts = { stopId, axis, stopGeneration, reason, problem: null, atUs: 1, frames: [] };
    this.report({ ...facts, type: "stop-result", result: "acknowledged" });
    this.reading(axis, { moving: false, stopGeneration });
  }

  #told(message: OrderMessage): void {
    this.heard.push(message);
    if (message.type === "describe" && this.answersDescribe) this.describe();
    if (message.type === "order") this.onOrder(message.order);
    if (message.type === "settle")
      this.#settle(message.settle.axis, message.settle.commandId, message.settle.targetCounts);
    if (message.type !== "shut-down") return;
    this.die();
    this.onGone();
  }

  #settle(axis: AxisId, commandId: Order["commandId"], targetCounts: number | null): void {
    const status = this.status.get(axis) ?? this.#found(axis);
    const finding = status.moving
      ? "moving"
      : status.positionCounts === targetCounts
        ? "in-position"
        : "standing-elsewhere";
    this.report({ type: "settled", commandId, axis, atUs: 1, finding, status, frames: [] });
  }

  #repeat(beat: ControllerBeat): void {
    this.beats.push(beat);
    if (beat.bridgeBoot !== this.bridgeBoot) return;
    // What was unseen for two beats is repeated.
    if (beat.reportsSeen === this.#repeatFrom) {
      for (let seq = beat.reportsSeen + 1; seq <= this.#reports.length; seq++) this.#send(seq);
    }
    this.#repeatFrom = beat.reportsSeen;
  }

  #send(seq: number): void {
    const report = this.#reports[seq - 1];
    if (report) this.#options.bus.publish("reports", { bridgeBoot: this.bridgeBoot, seq, report });
  }

  #found(axis: AxisId): AxisStatus {
    return {
      axis,
      online: true,
      offlineReason: null,
      reads: 2,
      enabled: false,
      moving: false,
      homed: false,
      fault: null,
      positionCounts: 0,
      velocityCountsPerS: 0,
      stopGeneration: 0,
      stopPending: false,
      atUs: 1_700_000_000_000_000,
      ...(this.#options.found ?? ENABLED),
    };
  }
}
