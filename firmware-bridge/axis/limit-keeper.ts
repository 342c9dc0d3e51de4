import type { AxisParts } from "./axis-parts.ts";
import { haltMotion } from "./halt-motion.ts";
import { type CountLimits, isRunningOut, mustHalt } from "./limit-watch.ts";
import type { OrderRun } from "./order-run.ts";
import type { Reading } from "./reading.ts";

/** A drive's own cycle until a halt acts, ms; on top of the wire. */
const DRIVE_REACTION_MS = 10;
/** A long gap between looks is remembered for a while: the next one may be as long. */
const GAP_DECAY = 0.9;

interface LimitEvents {
  readonly motion: () => OrderRun | undefined;
  readonly stop: () => void;
  readonly abort: (detail: string) => void;
}

/** Watches a moving axis against its limits: halts a velocity move in time, stops whatever runs out beyond. */
export class LimitKeeper {
  readonly #parts: AxisParts;
  readonly #limits: CountLimits;
  readonly #wireMs: number;
  readonly #events: LimitEvents;
  #halting: OrderRun | null = null;
  #stopped = false;
  #lookedAtMs: number | null = null;
  /** Time between two looks as it really is: on a full line polls come later than configured. */
  #lookMs = 0;

  constructor(parts: AxisParts, limits: CountLimits, stopWaitMaxMs: number, events: LimitEvents) {
    this.#parts = parts;
    this.#limits = limits;
    this.#wireMs = stopWaitMaxMs;
    this.#events = events;
  }

  reading(reading: Reading): void {
    const { facts } = reading;
    if (this.#lookedAtMs !== null)
      this.#lookMs = Math.max(reading.endedMs - this.#lookedAtMs, this.#lookMs * GAP_DECAY);
    this.#lookedAtMs = reading.endedMs;
    const at = facts.positionCounts;
    const speed = reading.velocityCountsPerS;
    if (at === null || speed === null || facts.moving !== true) {
      if (facts.moving === false) this.#stopped = false;
      this.#lookMs = 0;
      return;
    }
    const run = this.#events.motion();
    if (run?.action.kind === "move-velocity" && this.#halting !== run) {
      // Two transactions may stand before the halt, and the next look comes a poll later.
      const lookMs = Math.max(this.#parts.config.poll.movingMs, this.#lookMs);
      const reactionMs = lookMs + 2 * this.#wireMs + DRIVE_REACTION_MS;
      if (mustHalt(run.action, at, speed, reactionMs, reading.velocityAgeMs)) {
        this.#halt(run, run.action.deceleration);
        return;
      }
    }
    this.#watchOutside(run, at, speed, facts.homed);
  }

  /** Positions mean nothing before homing where homing is required, and a homing run looks for switches beyond. */
  #watchOutside(run: OrderRun | undefined, at: number, speed: number, homed: boolean | null): void {
    if (run?.action.kind === "home" || this.#stopped) return;
    if (this.#parts.config.homing.required && homed !== true) return;
    const { positionWindowCounts } = this.#parts.drive.profile.data.settle;
    if (!isRunningOut(at, speed, this.#limits, positionWindowCounts)) return;
    this.#stopped = true;
    this.#parts.log.warn({ axis: this.#parts.config.id, at, ...this.#limits }, "beyond a limit and moving out: stop");
    this.#events.stop();
  }

  #halt(run: OrderRun, deceleration: number): void {
    this.#halting = run;
    void haltMotion(this.#parts, run, deceleration, { halted: () => this.#halted(run), lost: this.#events.stop });
  }

  #halted(run: OrderRun): void {
    if (run.action.kind !== "move-velocity") return;
    const { minCounts, maxCounts, velocity } = run.action;
    const limit = velocity > 0 ? maxCounts : minCounts;
    this.#events.abort(`halted at stopping distance before the limit at ${limit} counts`);
  }
}
