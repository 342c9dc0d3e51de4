import type { Order } from "@servofleet/contracts";
import type { Timer } from "@servofleet/runtime/clock";
import { type AxisParts, unitWords } from "./axis-parts.ts";
import { axisProblem } from "./axis-problem.ts";
import { refusalNow } from "./order-guard.ts";
import { type AbortedBy, OrderRun } from "./order-run.ts";
import { OrderSending } from "./order-sending.ts";
import { newWatch, watchOrder } from "./order-watch.ts";
import { parameterApplied } from "./parameter-settle.ts";
import type { Reading } from "./reading.ts";
import { provesApplied, SETTLE_LIMIT_MS } from "./settle-order.ts";

/** Orders of one axis that may wait behind the one being sent. */
const WAITING_MAX = 16;
/** Order ids remembered, so that one that arrives twice is not sent twice. */
const SEEN_MAX = 1024;

/** The orders of one axis: one at a time is sent, what is sent is watched to its one end. */
export class OrderLane {
  readonly #parts: AxisParts;
  readonly #sending: OrderSending;
  #waiting: OrderRun[] = [];
  readonly #open = new Set<OrderRun>();
  readonly #seen = new Set<string>();
  readonly #settleTimers = new Map<OrderRun, Timer>();
  #pumping = false;

  constructor(parts: AxisParts) {
    this.#parts = parts;
    this.#sending = new OrderSending(parts, {
      takesOver: (run) => this.#abortOthers(run),
      unknown: (run) => this.#startSettling(run),
    });
  }

  /** Something is being sent, settled or watched. */
  get underWay(): boolean {
    return this.#pumping || this.#open.size > 0;
  }

  /** The run that moves the axis, if one of ours does. */
  get motion(): OrderRun | undefined {
    return [...this.#open].find((run) => run.open && run.isMotion && run.sent);
  }

  submit(order: Order): void {
    if (this.#seen.has(order.orderId)) return;
    this.#seen.add(order.orderId);
    for (const oldest of this.#seen) {
      if (this.#seen.size <= SEEN_MAX) break;
      this.#seen.delete(oldest);
    }
    const run = new OrderRun(order, this.#parts.report);
    // What can never be sent must not take the place of what can.
    const refused = this.#sending.refusalAtArrival(run);
    if (refused) {
      run.refuse(refused.reason, refused.problem);
      return;
    }
    if (run.drives) this.#supersede();
    if (this.#waiting.length >= WAITING_MAX) {
      run.refuse(
        "queue-full",
        axisProblem("queue-full", `${WAITING_MAX} orders wait for this axis`, "wait for one to end"),
      );
      return;
    }
    // Others of the line wait for it only where nothing else stands before it.
    const isNext = !this.#pumping && this.#waiting.length === 0;
    if (isNext && isGoal(run)) run.start = this.#parts.starts?.enter(this.#parts.config.id) ?? null;
    this.#waiting.push(run);
    void this.#pump();
  }

  /** The open run of a hold-to-run session. */
  held(session: string): OrderRun | undefined {
    return [...this.#waiting, ...this.#open].find((run) => run.open && run.order.hold?.session === session);
  }

  /** A stop has raised the generation, control has changed hands or a session is over: what waits is refused now; what was sent ends when the stop is acknowledged. */
  refuseStale(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const run of waiting) {
      const refusal = refusalNow(run.order, {
        ...this.#parts.guard(),
        nowMs: Number.NEGATIVE_INFINITY,
        superseded: false,
        released: run.released,
      });
      if (refusal) run.refuse(refusal.reason, refusal.problem);
      else this.#waiting.push(run);
    }
  }

  /** Ends what drives the axis and was sent. */
  abortDriving(by: AbortedBy, detail: string): void {
    for (const run of this.#open) if (run.drives && run.sent) this.#abort(run, by, detail);
    this.#sweep();
  }

  /** One poll pass later. */
  async reading(reading: Reading): Promise<void> {
    for (const run of [...this.#open]) {
      if (reading.startedMs < run.sinceMs) continue;
      run.recorder?.add(reading);
      if (run.phase === "settling") await this.#settle(run, reading);
      else if (run.phase === "watching") this.#watch(run, reading);
    }
    this.#sweep();
  }

  /** The drive does not answer: an order whose time is over by far cannot be known any more. */
  silence(nowMs: number): void {
    for (const run of this.#open) {
      const { watch } = run;
      if (run.phase !== "watching" || !watch || nowMs - watch.sinceMs < watch.limitMs) continue;
      const detail = `${unitWords(this.#parts.config)} stopped answering before the end of the order was seen`;
      run.unsettled(
        this.#parts.clock.wallUs(),
        axisProblem("bus-timeout", detail, "look at the axis and reconcile it"),
      );
    }
    this.#sweep();
  }

  #supersede(): void {
    const waiting = this.#waiting;
    this.#waiting = waiting.filter((run) => !run.drives || run.action.kind === "disable");
    for (const run of waiting) {
      if (this.#waiting.includes(run)) continue;
      run.refuse("superseded", axisProblem("axis-not-ready", "a newer order took its place", "nothing was sent"));
    }
    for (const run of this.#open) if (run.drives && run.action.kind !== "disable") run.superseded = true;
  }

  async #pump(): Promise<void> {
    if (this.#pumping) return;
    this.#pumping = true;
    for (let run = this.#waiting.shift(); run; run = this.#waiting.shift()) {
      this.#open.add(run);
      this.#parts.wake();
      await this.#sending.send(run);
      run.start?.left();
      this.#sweep();
    }
    this.#pumping = false;
  }

  #abortOthers(by: OrderRun): void {
    const word = by.action.kind === "halt" || by.action.kind === "disable" ? by.action.kind : "motion";
    for (const run of this.#open) {
      if (run !== by && run.drives && run.sent) this.#abort(run, word, `order ${by.order.orderId}`);
    }
  }

  #abort(run: OrderRun, by: AbortedBy, detail: string): void {
    run.aborted(this.#parts.clock.wallUs(), by, detail, this.#parts.facts().positionCounts);
  }

  #watch(run: OrderRun, reading: Reading): void {
    if (!run.watch) return;
    const { clock, drive } = this.#parts;
    const wasStarted = run.watch.started;
    const { settle, timeouts } = drive.profile.data;
    const fault = (code: number | null) => drive.profile.fault(code ?? 0);
    const { watch, verdict } = watchOrder(run.action, run.watch, reading.facts, reading.endedMs, {
      settle,
      timeouts,
      fault,
    });
    run.watch = watch;
    const at = reading.facts.positionCounts;
    if (watch.started && !wasStarted) run.start?.moved(reading.middleUs);
    if (watch.started && !wasStarted && at !== null) run.started(reading.middleUs, at, reading.frames);
    if (verdict.is === "done") run.done(clock.wallUs(), reading.endedMs, at, reading.frames);
    else if (verdict.is === "failed") run.failed(clock.wallUs(), verdict.problem, at, reading.frames);
  }

  #startSettling(run: OrderRun): void {
    const timer = this.#parts.clock.after(SETTLE_LIMIT_MS, () => {
      const detail = `${unitWords(this.#parts.config)}: reading for ${SETTLE_LIMIT_MS} ms did not show whether ${run.action.kind} was applied`;
      if (run.phase === "settling")
        run.unsettled(
          this.#parts.clock.wallUs(),
          axisProblem("bus-timeout", detail, "look at the axis and reconcile it"),
        );
      this.#sweep();
    });
    this.#settleTimers.set(run, timer);
    this.#parts.wake();
  }

  async #settle(run: OrderRun, reading: Reading): Promise<void> {
    const { drive } = this.#parts;
    const applied =
      run.action.kind === "write-parameter"
        ? await parameterApplied(this.#parts, run.action)
        : provesApplied(run.action, run.before, reading.facts, drive.profile.data.settle);
    if (!applied || run.phase !== "settling") return;
    const { timeouts } = drive.profile.data;
    const watch = newWatch(run.action, reading.startedMs, run.before.positionCounts, timeouts);
    run.book.add(reading.frames);
    run.acknowledged(this.#parts.clock.wallUs(), watch, true);
    if (run.action.kind === "write-parameter") run.done(this.#parts.clock.wallUs(), reading.endedMs, null, []);
    else this.#watch(run, reading);
  }

  #sweep(): void {
    for (const run of this.#open) {
      if (run.open) continue;
      this.#open.delete(run);
      this.#settleTimers.get(run)?.cancel();
      this.#settleTimers.delete(run);
    }
  }
}

const isGoal = ({ action }: OrderRun): boolean => action.kind === "move-absolute" || action.kind === "move-velocity";
