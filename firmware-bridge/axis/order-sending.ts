import { HandshakeError, type WriteWeight } from "../handshake/drive-talk.ts";
import { LinkError } from "../link/link.ts";
import { type AxisParts, unitWords } from "./axis-parts.ts";
import { axisProblem, mayHaveArrived, problemOf, refusalOf } from "./axis-problem.ts";
import { DriveSession, SessionEnded } from "./drive-session.ts";
import { type RefusedOrder, refusalNow } from "./order-guard.ts";
import type { AbortedBy, OrderRun } from "./order-run.ts";
import { newWatch } from "./order-watch.ts";

/**
 * The first byte keeps the deadline. A start whose handshake first brings another motion to rest may leave so much later, ms:
 * beyond it nobody expects the axis to move any more.
 */
const START_LATE_MAX_MS = 250;

interface SendingEvents {
  /** Its first byte that ends what ran before is in the kernel. */
  readonly takesOver: (run: OrderRun) => void;
  /** Its decisive write went without answer. */
  readonly unknown: (run: OrderRun) => void;
}

/** Sends one order: last checks, handshake, and what each failure means for it. Nothing is ever sent twice. */
export class OrderSending {
  readonly #parts: AxisParts;
  readonly #events: SendingEvents;

  constructor(parts: AxisParts, events: SendingEvents) {
    this.#parts = parts;
    this.#events = events;
  }

  /** What no waiting can mend: too late, too old, beyond the drive. */
  refusalAtArrival(run: OrderRun): RefusedOrder | null {
    const cannot = this.#parts.drive.cannot(run.action);
    return this.#refusal(run) ?? (cannot === null ? null : unsupported(cannot));
  }

  /** Resolves when the handshake has ended, whatever it came to. Never rejects for the world's sake. */
  async send(run: OrderRun): Promise<void> {
    const { drive, clock } = this.#parts;
    run.phase = "sending";
    const refused = this.#refusal(run) ?? this.#unready(run);
    if (refused) return run.refuse(refused.reason, refused.problem);
    run.before = this.#parts.facts();
    try {
      const { finished } = await drive.perform(run.action, this.#session(run), run.before, () => {
        const nowMs = clock.monotonicMs();
        const watch = newWatch(run.action, nowMs, run.before.positionCounts, drive.profile.data.timeouts);
        run.acknowledged(clock.wallUs(), watch, false);
        this.#parts.wake();
      });
      if (finished) run.done(clock.wallUs(), clock.monotonicMs(), this.#parts.facts().positionCounts, []);
    } catch (error) {
      this.#failed(run, error);
    }
  }

  #session(run: OrderRun): DriveSession {
    const { link, config, drive, clock } = this.#parts;
    return new DriveSession(link, config.unit, drive.profile, clock, {
      class: "command",
      readClass: "confirm",
      notAfterMs: run.order.notAfterMs,
      barred: () => this.#refusal(run)?.reason ?? (run.open ? undefined : "ended"),
      ...(run.start ? { gather: run.start.ready } : {}),
      onFrames: (frames) => run.book.add(frames),
      onWriteSent: (weight, wallUs, frame) => {
        run.firstByte(wallUs, clock.monotonicMs(), frame);
        if (weight === "decisive") {
          run.decisiveSent = true;
          run.start?.sent(wallUs);
        }
        if (run.drives && takesOver(weight)) this.#events.takesOver(run);
      },
      onWriteDone: (weight) => {
        if (weight === "decisive") run.decisiveDone = true;
      },
    });
  }

  /**
   * Until a motion's start is out, whatever forbids a motion forbids it. Once that, or the first byte of anything else, is
   * out, only a stop, a newer order and a let-go button keep the rest back: half a handshake helps nobody.
   */
  #refusal(run: OrderRun): RefusedOrder | null {
    const guard = this.#parts.guard();
    const nowMs = this.#parts.clock.monotonicMs();
    const { superseded, released } = run;
    if (!run.sent) return refusalNow(run.order, { ...guard, superseded, released, nowMs });
    if (run.isMotion && !run.decisiveSent)
      return refusalNow(run.order, { ...guard, superseded, released, nowMs: nowMs - START_LATE_MAX_MS });
    const calm = {
      epoch: 0,
      leaseSequence: 0,
      controllerSilent: null,
      closing: false,
      nowMs: Number.NEGATIVE_INFINITY,
    };
    return refusalNow(run.order, { ...calm, stopGeneration: guard.stopGeneration, superseded, released });
  }

  #unready(run: OrderRun): RefusedOrder | null {
    const offline = this.#parts.offline();
    if (offline) {
      const problem = axisProblem(offline.reason, offline.words, "nothing was sent; wait until the axis answers");
      return { reason: offline.reason, problem };
    }
    const { config, drive } = this.#parts;
    const cannot = drive.cannot(run.action);
    if (cannot !== null) return unsupported(cannot);
    const { kind } = run.action;
    const { supported, reaction } = drive.profile.data.commLoss;
    const guarded = supported && (drive.watchdogArmed ?? true);
    if (kind === "move-velocity" && !guarded && !config.allowUnboundedMoves) {
      const why = supported ? "the watchdog of the drive reads back as not set" : reaction;
      return unsupported(`a velocity move would outlive its master: ${why} (allowUnboundedMoves is off)`);
    }
    const { fault, enabled, faultCode } = this.#parts.facts();
    if (fault === true && (run.isMotion || kind === "enable")) {
      const words = drive.profile.fault(faultCode ?? 0);
      return {
        reason: "not-ready",
        problem: axisProblem("drive-fault", `the drive reports ${words.code} ${words.name}`, words.remedy),
      };
    }
    if (enabled !== true && run.isMotion) {
      return {
        reason: "not-ready",
        problem: axisProblem("axis-not-ready", "the drive is not enabled", "enable the axis first"),
      };
    }
    return null;
  }

  #failed(run: OrderRun, error: unknown): void {
    const { log, config, clock } = this.#parts;
    if (!run.open) return;
    // Acknowledged already: what failed came after it, and the watch sees how it ends.
    if (run.phase === "watching") {
      log.warn({ axis: config.id, error: String(error) }, "after the acknowledgement");
      return;
    }
    if (error instanceof SessionEnded) {
      this.#overtaken(run);
      return;
    }
    const known = error instanceof LinkError || error instanceof HandshakeError;
    if (!known)
      log.error(
        { axis: config.id, error: error instanceof Error ? (error.stack ?? String(error)) : String(error) },
        "order failed by a bug",
      );
    const problem = problemOf(error, unitWords(config));
    const lost = run.decisiveSent && !run.decisiveDone && mayHaveArrived(error);
    const unproven = run.decisiveDone && !(error instanceof HandshakeError && error.code === "fault");
    if ((lost || unproven) && run.action.kind !== "write-parameter") {
      this.#unknown(run, problem);
      return;
    }
    if (lost) {
      this.#unknown(run, problem);
      return;
    }
    if (run.sent) {
      run.failed(clock.wallUs(), problem, this.#parts.facts().positionCounts);
      return;
    }
    run.refuse(reasonOf(error), problem);
  }

  #unknown(run: OrderRun, problem: ReturnType<typeof problemOf>): void {
    run.unknown(this.#parts.clock.wallUs(), this.#parts.clock.monotonicMs(), problem);
    this.#events.unknown(run);
  }

  /** A stop, a newer order or a lost right to move kept the rest of its frames back. */
  #overtaken(run: OrderRun): void {
    const { clock, config } = this.#parts;
    const position = this.#parts.facts().positionCounts;
    const refusal = this.#refusal(run);
    if (!run.sent) {
      const problem = axisProblem("axis-not-ready", "it was overtaken before its first byte", "nothing was sent");
      run.refuse(refusal?.reason ?? "cancelled", refusal?.problem ?? problem);
      return;
    }
    if (run.decisiveDone) {
      this.#unknown(
        run,
        axisProblem(
          "bus-timeout",
          `${unitWords(config)}: its confirmation was overtaken`,
          "it is being settled by reading",
        ),
      );
      return;
    }
    if (refusal?.reason === "expired") {
      const detail = `${refusal.problem.detail} before its start could leave`;
      run.failed(clock.wallUs(), { ...refusal.problem, slug: "deadline-passed", detail }, position);
      return;
    }
    const by = ABORTED_BY[refusal?.reason ?? "stale-generation"] ?? "policy";
    run.aborted(clock.wallUs(), by, refusal?.problem.detail ?? "overtaken between two frames", position);
  }
}

/** Everything else is the bridge's own policy: who gave the order may not move the axis any more. */
const ABORTED_BY: Partial<Record<RefusedOrder["reason"], AbortedBy>> = {
  superseded: "motion",
  "stale-generation": "stop",
};

const takesOver = (weight: WriteWeight): boolean => weight === "decisive" || weight === "interrupts";

const unsupported = (words: string): RefusedOrder => ({
  reason: "unsupported",
  problem: axisProblem("unsupported-by-drive", words, "nothing was sent; ask for what the drive can do"),
});

function reasonOf(error: unknown): RefusedOrder["reason"] {
  if (error instanceof LinkError) return error.sent ? "axis-offline" : refusalOf(error);
  return error instanceof HandshakeError && error.code === "unsupported" ? "unsupported" : "not-ready";
}
