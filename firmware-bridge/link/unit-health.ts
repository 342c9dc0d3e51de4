/**
 * Nothing is given up sooner, ms. Drives answer within 1 to 5 ms, but a busy host, a USB adapter (latency timer of up to
 * 16 ms) or a drive writing its memory pauses now and then, and three of these in a row would call a live drive offline.
 */
export const REPLY_WAIT_FLOOR_MS = 20;
/** A probe of a silent unit takes bus time from the living: it waits no longer, however patient the line is otherwise, ms. */
export const PROBE_WAIT_MAX_MS = 50;
/** Consecutive time-outs that open the breaker; exceptions are answers. */
export const OPEN_AFTER_TIMEOUTS = 3;
const OPEN_MIN_MS = 250;
const OPEN_MAX_MS = 5000;
/** Samples before a learned wait is trusted to be shorter than the cap. */
const SAMPLES_MIN = 8;
const BACKOFF_MAX = 64;
const BACKOFF_DECAY = 0.9;

/** How one unit of a line answers. Pure data; the functions below make the next one from it. */
export interface UnitHealth {
  /** Smoothed turn-around and its mean deviation, ms (RFC 6298, 2, with Karn's rule). */
  readonly smoothedMs: number | null;
  readonly deviationMs: number;
  readonly samples: number;
  /** Doubles the wait after each time-out; each answer takes a part of it back, so that a busy host does not give up again and again. */
  readonly backoff: number;
  readonly timeoutsInRow: number;
  /** How often the breaker has opened since the last answer; 0 is closed. */
  readonly openings: number;
  /** Monotonic ms until which an open breaker stays open; afterwards it is half-open. */
  readonly openUntilMs: number;
  /** Monotonic ms until which reads wait for a late answer to pass. */
  readonly quarantineUntilMs: number;
  readonly lastReplyAtUs: number | null;
}

export const newHealth = (): UnitHealth => ({
  smoothedMs: null,
  deviationMs: 0,
  samples: 0,
  backoff: 1,
  timeoutsInRow: 0,
  openings: 0,
  openUntilMs: 0,
  quarantineUntilMs: 0,
  lastReplyAtUs: null,
});

/** The unit answered (also with an exception). `turnaroundMs` is null when the sample is not clean (first after a time-out). */
export function afterReply(health: UnitHealth, turnaroundMs: number | null, replyAtUs: number): UnitHealth {
  const backoff = Math.max(1, health.backoff * BACKOFF_DECAY);
  const alive = { ...health, timeoutsInRow: 0, openings: 0, openUntilMs: 0, backoff, lastReplyAtUs: replyAtUs };
  if (turnaroundMs === null) return alive;
  const { smoothedMs } = health;
  if (smoothedMs === null) return { ...alive, smoothedMs: turnaroundMs, deviationMs: turnaroundMs / 2, samples: 1 };
  return {
    ...alive,
    deviationMs: 0.75 * health.deviationMs + 0.25 * Math.abs(smoothedMs - turnaroundMs),
    smoothedMs: 0.875 * smoothedMs + 0.125 * turnaroundMs,
    samples: health.samples + 1,
  };
}

/** The unit did not answer. `chance` (0 <= x < 1) spreads the next probe. */
export function afterTimeout(health: UnitHealth, nowMs: number, waitedMs: number, chance: number): UnitHealth {
  const timeoutsInRow = health.timeoutsInRow + 1;
  const late = {
    ...health,
    timeoutsInRow,
    backoff: Math.min(health.backoff * 2, BACKOFF_MAX),
    quarantineUntilMs: nowMs + 2 * waitedMs,
  };
  if (timeoutsInRow < OPEN_AFTER_TIMEOUTS) return late;
  const openMs = Math.min(OPEN_MAX_MS, OPEN_MIN_MS * 2 ** Math.min(health.openings, 10)) * (0.9 + 0.2 * chance);
  return { ...late, openings: health.openings + 1, openUntilMs: nowMs + openMs };
}

/** What the unit needs beyond wire time and silences, microseconds; undefined until it has answered cleanly. */
export const learnedTurnaroundUs = (health: UnitHealth): number | undefined =>
  health.smoothedMs === null ? undefined : health.smoothedMs * 1000;

export function breakerState(health: UnitHealth, nowMs: number): "closed" | "open" | "half-open" {
  if (health.openings === 0) return "closed";
  return nowMs < health.openUntilMs ? "open" : "half-open";
}

/** How long to wait beyond the wire time of request and reply, ms: at least the floor, at most `capMs`. */
export function replyWaitMs(health: UnitHealth, capMs: number): number {
  if (health.smoothedMs === null || health.samples < SAMPLES_MIN) return capMs;
  const learnedMs = Math.max(REPLY_WAIT_FLOOR_MS, health.smoothedMs + 4 * health.deviationMs);
  return Math.min(capMs, learnedMs * health.backoff);
}
