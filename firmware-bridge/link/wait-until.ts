import type { Clock } from "@servofleet/runtime/clock";

/** Timers of the loop fire up to this much early or late: the rest is for turns of the loop. */
const TIMER_SLACK_MS = 0.75;
/** The shortest timer (1 ms, some 1.1 in truth) still fits into this; nearer than this the loop is turned. */
const TIMER_WORTH_MS = 1.3;
const VIRTUAL_STEP_MS = 0.001;

/**
 * Calls `fn` at `atMs` (monotonic), never earlier, never inside this call, and within a turn of the loop: a timer for the
 * far part, then turns of the loop against the clock (a plain timer would break the silence between frames or waste 7 %
 * of the line). Returns the function that cancels.
 */
export function waitUntil(clock: Clock, atMs: number, fn: () => void): () => void {
  let cancelled = false;
  let cancelTimer: () => void = () => undefined;
  let lastMs = Number.NEGATIVE_INFINITY;
  const turn = () => {
    if (cancelled) return;
    const nowMs = clock.monotonicMs();
    if (nowMs >= atMs) fn();
    else waitOn(nowMs);
  };
  const waitOn = (nowMs: number) => {
    const leftMs = atMs - nowMs;
    const farMs = leftMs < TIMER_WORTH_MS ? 0 : Math.max(1, Math.floor(leftMs - TIMER_SLACK_MS));
    // A clock that stands still between two turns is a virtual one: its timers are exact.
    const stands = nowMs === lastMs;
    lastMs = nowMs;
    if (farMs === 0 && !stands) return clock.soon(turn);
    const timer = clock.after(stands ? Math.max(leftMs, VIRTUAL_STEP_MS) : farMs, turn);
    cancelTimer = () => timer.cancel();
  };
  waitOn(clock.monotonicMs());
  return () => {
    cancelled = true;
    cancelTimer();
  };
}
