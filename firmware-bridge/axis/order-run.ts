import type { Frame, Order, OrderAction, OrderRefusal, ProblemFacts, Report } from "@servofleet/contracts";
import { type DriveFacts, UNKNOWN_FACTS } from "../handshake/drive-facts.ts";
import { FrameBook } from "./frame-book.ts";
import { MotionRecorder } from "./motion-recorder.ts";
import type { OrderWatch } from "./order-watch.ts";
import type { StartTicket } from "./start-gate.ts";

type Reported<T extends Report["type"]> = Extract<Report, { type: T }>;
export type AbortedBy = Reported<"order-aborted">["by"];

/** Orders that drive the axis, or end what drives it. */
const DRIVING: ReadonlySet<OrderAction["kind"]> = new Set([
  "home",
  "move-absolute",
  "move-velocity",
  "halt",
  "disable",
]);
const MOTION: ReadonlySet<OrderAction["kind"]> = new Set(["home", "move-absolute", "move-velocity"]);

/** One order on its way through the bridge, and the reports it gives: exactly one of them ends it. */
export class OrderRun {
  readonly order: Order;
  readonly book = new FrameBook();
  phase: "waiting" | "sending" | "settling" | "watching" | "ended" = "waiting";
  /** A newer order wants its place; it goes no further than the transaction in flight. */
  superseded = false;
  /** Why its hold-to-run session is over: it goes no further either. */
  released: string | null = null;
  sent = false;
  decisiveSent = false;
  decisiveDone = false;
  /** What reading showed before the first write. */
  before: DriveFacts = UNKNOWN_FACTS;
  /** Only readings that began after this moment say something about it, monotonic ms. */
  sinceMs = Number.POSITIVE_INFINITY;
  watch: OrderWatch | null = null;
  recorder: MotionRecorder | null = null;
  /** Its place among orders that start together, where the drive can be started so. */
  start: StartTicket | null = null;
  readonly #report: (report: Report) => void;

  constructor(order: Order, report: (report: Report) => void) {
    this.order = order;
    this.#report = report;
  }

  get action(): OrderAction {
    return this.order.action;
  }

  get drives(): boolean {
    return DRIVING.has(this.action.kind);
  }

  get isMotion(): boolean {
    return MOTION.has(this.action.kind);
  }

  get open(): boolean {
    return this.phase !== "ended";
  }

  get #ids() {
    return { commandId: this.order.commandId, axis: this.order.axis };
  }

  /** Nothing was sent. */
  refuse(reason: OrderRefusal, problem: ProblemFacts): void {
    this.#end({ type: "order-refused", orderId: this.order.orderId, ...this.#ids, reason, problem });
  }

  /** The first byte of its first write is in the kernel. */
  firstByte(atUs: number, nowMs: number, frame: Frame): void {
    this.book.add([frame]);
    if (this.sent || !this.open) return;
    this.sent = true;
    this.recorder = new MotionRecorder(nowMs);
    this.#report({ type: "order-sent", orderId: this.order.orderId, ...this.#ids, atUs, frames: this.book.take() });
  }

  acknowledged(atUs: number, watch: OrderWatch, settledByReading: boolean): void {
    if (!this.open) return;
    this.phase = "watching";
    this.watch = watch;
    this.sinceMs = watch.sinceMs;
    const targetCounts = this.action.kind === "move-absolute" ? this.action.targetCounts : null;
    const orderId = this.order.orderId;
    const frames = this.book.take();
    this.#report({ type: "order-acknowledged", orderId, ...this.#ids, atUs, targetCounts, settledByReading, frames });
  }

  unknown(atUs: number, nowMs: number, problem: ProblemFacts): void {
    if (!this.open) return;
    this.phase = "settling";
    this.sinceMs = nowMs;
    const frames = this.book.take();
    this.#report({ type: "order-unknown", orderId: this.order.orderId, ...this.#ids, atUs, problem, frames });
  }

  unsettled(atUs: number, problem: ProblemFacts): void {
    this.#end({ type: "order-unsettled", ...this.#ids, atUs, problem, frames: this.book.takeLast([]) });
  }

  started(atUs: number, positionCounts: number, proof: readonly Frame[]): void {
    if (!this.open || !this.isMotion) return;
    this.book.add(proof);
    this.#report({ type: "motion-started", ...this.#ids, atUs, positionCounts, frames: this.book.take() });
  }

  done(atUs: number, nowMs: number, positionCounts: number | null, proof: readonly Frame[]): void {
    const summary = this.isMotion && this.recorder ? this.recorder.summary(nowMs) : null;
    this.#end({ type: "order-done", ...this.#ids, atUs, positionCounts, summary, frames: this.book.takeLast(proof) });
  }

  failed(atUs: number, problem: ProblemFacts, positionCounts: number | null, proof: readonly Frame[] = []): void {
    this.#end({ type: "order-failed", ...this.#ids, atUs, problem, positionCounts, frames: this.book.takeLast(proof) });
  }

  aborted(atUs: number, by: AbortedBy, detail: string, positionCounts: number | null): void {
    this.#end({
      type: "order-aborted",
      ...this.#ids,
      atUs,
      by,
      detail,
      positionCounts,
      frames: this.book.takeLast([]),
    });
  }

  /** The one end: whoever comes later finds the order ended and says nothing. */
  #end(report: Report): void {
    if (!this.open) return;
    this.phase = "ended";
    this.#report(report);
  }
}
