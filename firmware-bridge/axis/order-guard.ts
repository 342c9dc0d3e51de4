import type { Order, OrderRefusal, ProblemFacts } from "@servofleet/contracts";
import { axisProblem } from "./axis-problem.ts";

/** What the last checks look at. */
export interface GuardFacts {
  readonly nowMs: number;
  readonly epoch: number;
  readonly stopGeneration: number;
  /** Who controls the axis now, by number. */
  readonly leaseSequence: number;
  /** Null while the controller is heard; else since when not, in words. */
  readonly controllerSilent: string | null;
  readonly closing: boolean;
  /** A newer order that takes this one's place. */
  readonly superseded: boolean;
  /** Why its hold-to-run session is over; null while it is not, or when it has none. */
  readonly released: string | null;
}

export interface RefusedOrder {
  readonly reason: OrderRefusal;
  readonly problem: ProblemFacts;
}

const ASK_AGAIN = "nothing was sent; look at the axis and ask again";

/**
 * The last checks before an order's first byte, in order of weight. Pure. A stop generation or an epoch that has passed
 * this order by is final: no later check can bring it back.
 */
export function refusalNow(order: Order, now: GuardFacts): RefusedOrder | null {
  if (order.stopGeneration < now.stopGeneration) {
    const detail = `a stop came after the decision (generation ${now.stopGeneration}, decided under ${order.stopGeneration})`;
    return { reason: "stale-generation", problem: axisProblem("stop-latched", detail, ASK_AGAIN) };
  }
  if (order.epoch < now.epoch) {
    const detail = `a newer controller has taken over (epoch ${now.epoch}, this order is of ${order.epoch})`;
    return { reason: "stale-epoch", problem: axisProblem("service-unavailable", detail, ASK_AGAIN) };
  }
  if (order.epoch === now.epoch && order.leaseSequence < now.leaseSequence) {
    const detail = "control over the axis changed hands after the decision";
    return { reason: "stale-lease", problem: axisProblem("axis-leased", detail, ASK_AGAIN) };
  }
  if (now.released !== null) {
    return { reason: "cancelled", problem: axisProblem("axis-not-ready", now.released, "nothing was sent") };
  }
  if (now.closing) {
    return { reason: "not-ready", problem: axisProblem("shutting-down", "the bridge is shutting down", ASK_AGAIN) };
  }
  if (now.controllerSilent !== null) {
    const detail = `the controller is not heard: ${now.controllerSilent}`;
    return { reason: "not-ready", problem: axisProblem("service-unavailable", detail, ASK_AGAIN) };
  }
  if (now.superseded) {
    return {
      reason: "superseded",
      problem: axisProblem("axis-not-ready", "a newer order took its place", "nothing was sent"),
    };
  }
  if (now.nowMs > order.notAfterMs) {
    const lateMs = Math.ceil(now.nowMs - order.notAfterMs);
    const detail = `its time to start had passed by ${lateMs} ms`;
    return { reason: "expired", problem: axisProblem("axis-not-ready", detail, "allow more time to start (ttlMs)") };
  }
  return null;
}
