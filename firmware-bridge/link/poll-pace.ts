import type { Clock } from "@servofleet/runtime/clock";

/** Share of the line that commands, confirmations and retries keep for themselves. */
export const COMMAND_RESERVE = 0.15;
/** Polls of axes at rest are stretched no further than this; then moving ones give way too. */
const IDLE_STRETCH_MAX = 10;
/** However much is commanded, polls keep this share: without them nobody sees what a command did. */
const POLL_SHARE_MIN = 0.2;
/** An axis that has not polled for so long (silent, closed) claims nothing. */
const FORGET_MS = 5000;
const SMOOTHING = 0.25;
/** Other classes are measured over this time. */
const WINDOW_MS = 1000;
const ROUNDING = 1e-9;
/** A stretch below this is no news. */
const WORTH_TELLING = 1.05;

/** How many times longer than configured the poll periods are; 1 is as configured. */
export interface PollStretch {
  readonly idle: number;
  readonly moving: number;
}
export const AS_CONFIGURED: PollStretch = { idle: 1, moving: 1 };

/**
 * What gives way when polls want more than their share: axes at rest first, up to their limit, then moving ones by what
 * is still missing. Shares of the line, 0 and up. Pure.
 */
export function pollStretch(idleShare: number, movingShare: number, share: number): PollStretch {
  if (idleShare + movingShare <= share + ROUNDING) return AS_CONFIGURED;
  const forIdle = Math.max(share - movingShare, idleShare / IDLE_STRETCH_MAX);
  const idle = idleShare > 0 ? Math.max(1, idleShare / forIdle) : 1;
  const forMoving = share - idleShare / idle;
  const moving = movingShare > 0 && forMoving > 0 ? Math.max(1, movingShare / forMoving) : 1;
  return { idle, moving };
}

interface Demand {
  passMs: number;
  spentMs: number;
  periodMs: number;
  isFast: boolean;
  askedMs: number;
}

/** Measures what the polls of a line cost and stretches their periods by rule, before they slip by themselves. */
export class PollPace {
  readonly #clock: Clock;
  readonly #tell: (stretch: PollStretch, share: number) => void;
  readonly #demands = new Map<number, Demand>();
  #otherMs = 0;
  #otherShare = 0;
  #windowMs: number;
  #told = false;
  stretch: PollStretch = AS_CONFIGURED;

  /** `tell` is called when polls begin to be stretched and when they run as configured again. */
  constructor(clock: Clock, tell: (stretch: PollStretch, pollShare: number) => void) {
    this.#clock = clock;
    this.#tell = tell;
    this.#windowMs = clock.monotonicMs();
  }

  /** Bus time that a transaction has taken. */
  spent(unit: number, isPoll: boolean, ms: number): void {
    const demand = this.#demands.get(unit);
    if (isPoll && demand) demand.spentMs += ms;
    if (!isPoll) this.#otherMs += ms;
  }

  /** The period that a poll of the unit may have now, ms: called once per pass over it. */
  periodMs(unit: number, wantedMs: number, isFast: boolean): number {
    const nowMs = this.#clock.monotonicMs();
    const before = this.#demands.get(unit);
    const passMs = !before
      ? 0
      : before.passMs + (before.passMs === 0 ? 1 : SMOOTHING) * (before.spentMs - before.passMs);
    this.#demands.set(unit, { passMs, spentMs: 0, periodMs: wantedMs, isFast, askedMs: nowMs });
    this.#measureOthers(nowMs);
    this.#plan(nowMs);
    return wantedMs * (isFast ? this.stretch.moving : this.stretch.idle);
  }

  #measureOthers(nowMs: number): void {
    const spanMs = nowMs - this.#windowMs;
    if (spanMs < WINDOW_MS) return;
    this.#otherShare = this.#otherMs / spanMs;
    this.#otherMs = 0;
    this.#windowMs = nowMs;
  }

  #plan(nowMs: number): void {
    let idle = 0;
    let moving = 0;
    for (const [unit, { passMs, periodMs, isFast, askedMs }] of this.#demands) {
      if (nowMs - askedMs > FORGET_MS + periodMs * IDLE_STRETCH_MAX) this.#demands.delete(unit);
      else if (isFast) moving += passMs / periodMs;
      else idle += passMs / periodMs;
    }
    const share = Math.max(POLL_SHARE_MIN, 1 - Math.max(COMMAND_RESERVE, this.#otherShare));
    this.stretch = pollStretch(idle, moving, share);
    const isStretched = Math.max(this.stretch.idle, this.stretch.moving) > WORTH_TELLING;
    if (isStretched === this.#told || (!isStretched && this.stretch !== AS_CONFIGURED)) return;
    this.#told = isStretched;
    this.#tell(this.stretch, idle + moving);
  }
}
