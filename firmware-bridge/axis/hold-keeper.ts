import type { Order } from "@servofleet/contracts";
import type { Timer } from "@servofleet/runtime/clock";
import type { AxisParts } from "./axis-parts.ts";
import { haltMotion } from "./halt-motion.ts";
import type { AbortedBy, OrderRun } from "./order-run.ts";

/** The window is looked at this often while a hold-to-run motion is open, ms. */
const LOOK_MS = 20;

interface Hold {
  readonly session: string;
  readonly windowMs: number;
  lastBeatMs: number;
  over: { readonly by: AbortedBy; readonly words: string } | null;
  halting: boolean;
}

interface HoldEvents {
  readonly held: (session: string) => OrderRun | undefined;
  readonly refuseStale: () => void;
  readonly abort: (by: AbortedBy, detail: string) => void;
  readonly stop: () => void;
}

/**
 * Hold-to-run: a motion lives as long as beats of its session come. The window runs here, beside the wire, so that no lost
 * message, dead controller or frozen browser keeps the axis going. Letting go and missing the window both halt, not latched.
 */
export class HoldKeeper {
  readonly #parts: AxisParts;
  readonly #events: HoldEvents;
  #hold: Hold | undefined;
  #timer: Timer | undefined;

  constructor(parts: AxisParts, events: HoldEvents) {
    this.#parts = parts;
    this.#events = events;
  }

  /** An order of a session has come: its window begins. */
  began({ session, windowMs }: NonNullable<Order["hold"]>): void {
    const nowMs = this.#parts.clock.monotonicMs();
    this.#hold = { session, windowMs, lastBeatMs: nowMs, over: null, halting: false };
    this.#timer ??= this.#parts.clock.every(LOOK_MS, () => this.#look());
  }

  /** A beat: still held, or let go. A session that is over stays over. */
  beat(session: string, released: boolean): void {
    const hold = this.#hold;
    if (hold?.session !== session || hold.over) return;
    hold.lastBeatMs = this.#parts.clock.monotonicMs();
    if (!released) return;
    hold.over = { by: "halt", words: "the jog button was let go" };
    this.#look();
  }

  close(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  #look(): void {
    const hold = this.#hold;
    const run = hold && this.#events.held(hold.session);
    if (!hold || !run) {
      this.#hold = undefined;
      this.close();
      return;
    }
    const silentMs = this.#parts.clock.monotonicMs() - hold.lastBeatMs;
    if (!hold.over && silentMs > hold.windowMs)
      hold.over = { by: "policy", words: `no jog beat came for ${hold.windowMs} ms` };
    if (hold.over) this.#end(hold, run, hold.over);
  }

  /** What was not sent never is; what may run is halted, once its start has left. */
  #end(hold: Hold, run: OrderRun, { by, words }: NonNullable<Hold["over"]>): void {
    run.released = words;
    if (!run.sent) this.#events.refuseStale();
    if (!run.decisiveSent || hold.halting || run.action.kind !== "move-absolute") return;
    hold.halting = true;
    void haltMotion(this.#parts, run, run.action.deceleration, {
      halted: () => this.#events.abort(by, words),
      lost: () => this.#events.stop(),
    });
  }
}
