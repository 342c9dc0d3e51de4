import type { Fault, OrderAction, ProblemFacts } from "@servofleet/contracts";
import { never } from "@servofleet/runtime/assert";
import type { DriveFacts } from "../handshake/drive-facts.ts";
import type { ProfileData } from "../profile/profile-schema.ts";
import { axisProblem } from "./axis-problem.ts";

/** What watching an acknowledged order remembers between two readings. */
export interface OrderWatch {
  readonly sinceMs: number;
  readonly started: boolean;
  readonly goodReads: number;
  /** Since when the drive has nothing left to do, but the order's end is not there. */
  readonly idleSinceMs: number | null;
  /** A motion may not take longer. */
  readonly limitMs: number;
}

export type Verdict =
  | { readonly is: "going" }
  | { readonly is: "done" }
  | { readonly is: "failed"; readonly problem: ProblemFacts };

export interface WatchRules {
  readonly settle: ProfileData["settle"];
  readonly timeouts: ProfileData["timeouts"];
  /** The drive's fault in a person's words. */
  readonly fault: (code: number | null) => Fault;
}

const GOING: Verdict = { is: "going" };
const DONE: Verdict = { is: "done" };
const failed = (problem: ProblemFacts): Verdict => ({ is: "failed", problem });
/** A motion is given three times what its numbers need, and this. */
const MOTION_SLACK_MS = 10_000;

/** Starts watching at the acknowledgement. `fromCounts` is where the axis stood, null when unknown. */
export function newWatch(
  action: OrderAction,
  nowMs: number,
  fromCounts: number | null,
  timeouts: ProfileData["timeouts"],
): OrderWatch {
  return {
    sinceMs: nowMs,
    started: false,
    goodReads: 0,
    idleSinceMs: null,
    limitMs: limitOf(action, fromCounts, timeouts),
  };
}

function limitOf(action: OrderAction, fromCounts: number | null, timeouts: ProfileData["timeouts"]): number {
  if (action.kind === "home") return timeouts.homeMs;
  if (action.kind === "halt" || action.kind === "disable") return timeouts.standstillMs;
  if (action.kind === "move-velocity") return Number.POSITIVE_INFINITY;
  if (action.kind !== "move-absolute") return timeouts.stateMs;
  const { targetCounts, velocity, acceleration, deceleration } = action;
  const distance = fromCounts === null ? Math.abs(targetCounts) : Math.abs(targetCounts - fromCounts);
  const needS = distance / velocity + velocity / acceleration + velocity / deceleration;
  return MOTION_SLACK_MS + timeouts.standstillMs + 3000 * needS;
}

/**
 * One reading later. Pure. Only measured things end an order: the drive's own bit and the position inside the window
 * over several reads. What the reading does not tell (`null`) neither ends nor fails anything, but time still runs.
 */
export function watchOrder(
  action: OrderAction,
  watch: OrderWatch,
  facts: DriveFacts,
  nowMs: number,
  rules: WatchRules,
): { readonly watch: OrderWatch; readonly verdict: Verdict } {
  const started = watch.started || facts.moving === true;
  const good = isGood(action, facts, rules);
  const goodReads = good === null ? watch.goodReads : good ? watch.goodReads + 1 : 0;
  const resting = facts.busy === false && facts.moving === false;
  const idleSinceMs = facts.busy === null ? watch.idleSinceMs : resting && !good ? (watch.idleSinceMs ?? nowMs) : null;
  const next: OrderWatch = { ...watch, started, goodReads, idleSinceMs };
  return { watch: next, verdict: verdictOf(action, next, facts, nowMs, rules) };
}

function verdictOf(
  action: OrderAction,
  watch: OrderWatch,
  facts: DriveFacts,
  nowMs: number,
  rules: WatchRules,
): Verdict {
  const ignoresFault = action.kind === "reset-fault" || action.kind === "disable" || action.kind === "halt";
  if (facts.fault === true && !ignoresFault) return failed(faultProblem(rules.fault(facts.faultCode)));
  if (watch.goodReads >= readsNeeded(action, rules)) return DONE;
  const moves = action.kind === "home" || action.kind === "move-absolute" || action.kind === "move-velocity";
  if (moves && facts.enabled === false) {
    return failed(
      axisProblem(
        "axis-not-ready",
        "the drive went out of operation under way",
        "see why the drive was disabled, enable it and ask again",
      ),
    );
  }
  if (action.kind === "home" && facts.homing === "failed") return failed(homingProblem(facts));
  const idleMs = watch.idleSinceMs === null ? 0 : nowMs - watch.idleSinceMs;
  const patienceMs = watch.started ? rules.timeouts.settleMs : rules.timeouts.startMs;
  if (moves && idleMs >= patienceMs) return failed(restProblem(action, watch, facts, rules));
  if (nowMs - watch.sinceMs >= watch.limitMs) return failed(lateProblem(action, watch, facts, rules));
  return GOING;
}

const readsNeeded = (action: OrderAction, rules: WatchRules): number =>
  action.kind === "enable" || action.kind === "reset-fault" ? 1 : rules.settle.reads;

/** Whether this reading shows the end; null when it cannot say. */
function isGood(action: OrderAction, facts: DriveFacts, rules: WatchRules): boolean | null {
  const { enabled, fault, moving, busy, positionCounts } = facts;
  switch (action.kind) {
    case "enable":
      return enabled === null ? null : enabled && fault === false;
    case "disable":
      return enabled === null || moving === null ? null : !enabled && !moving;
    case "reset-fault":
      return fault === null ? null : !fault;
    case "halt":
      return moving === null || busy === null ? null : !moving && !busy;
    case "home":
      if (facts.homing === null || busy === null) return null;
      return facts.homing === "attained" && facts.homed === true && !busy && moving === false;
    case "move-absolute": {
      if (busy === null || moving === null || positionCounts === null) return null;
      const near = Math.abs(positionCounts - action.targetCounts) <= rules.settle.positionWindowCounts;
      return near && !busy && !moving && facts.complete === true;
    }
    case "move-velocity":
    case "write-parameter":
      return false;
    default:
      return never(action);
  }
}

export const faultProblem = (fault: Fault): ProblemFacts =>
  axisProblem("drive-fault", `the drive reports ${fault.code} ${fault.name}`, fault.remedy);

function homingProblem(facts: DriveFacts): ProblemFacts {
  const why = facts.limit ?? "the drive reports a homing error";
  return axisProblem(
    "limit-reached",
    `homing failed: ${why}`,
    "check the home and limit switches and the homing method, then home again",
  );
}

function restProblem(action: OrderAction, watch: OrderWatch, facts: DriveFacts, rules: WatchRules): ProblemFacts {
  if (facts.limit !== null && watch.started) {
    return axisProblem("limit-reached", facts.limit, "move away from the limit and check the limits of the axis");
  }
  if (action.kind === "home" && facts.homingDoubt !== null) {
    return axisProblem(
      "axis-not-ready",
      facts.homingDoubt,
      "switch the drive off and on, which forgets the old home position, then home again",
    );
  }
  if (!watch.started) {
    return axisProblem(
      "axis-not-ready",
      "the drive confirmed the order but did not start",
      "check the drive's enable input, its limit switches and its mode",
    );
  }
  if (action.kind === "home")
    return axisProblem("axis-not-ready", "the homing run ended without a home position", "home again");
  const at = facts.positionCounts;
  const away =
    action.kind === "move-absolute" && at !== null
      ? ` at ${at} counts, ${action.targetCounts - at} counts short of its target`
      : "";
  const window = `window ${rules.settle.positionWindowCounts} counts`;
  return axisProblem(
    "following-error",
    `the axis came to rest${away} (${window})`,
    "check for an obstacle, a stop at the drive or a load that is too great",
  );
}

function lateProblem(action: OrderAction, watch: OrderWatch, facts: DriveFacts, rules: WatchRules): ProblemFacts {
  const waited = `${Math.round(watch.limitMs)} ms`;
  if (action.kind === "reset-fault") {
    const fault = rules.fault(facts.faultCode);
    return axisProblem(
      "drive-fault",
      `the drive still reports ${fault.code} ${fault.name} after ${waited}`,
      fault.remedy,
    );
  }
  return axisProblem(
    "drive-exception",
    `${action.kind} was confirmed, but its end was not seen within ${waited}`,
    "look at the drive; treat the axis as moving until it is seen at rest",
  );
}
