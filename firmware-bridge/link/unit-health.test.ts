import fc from "fast-check";
import { expect, test } from "vitest";
import {
  afterReply,
  afterTimeout,
  breakerState,
  newHealth,
  OPEN_AFTER_TIMEOUTS,
  REPLY_WAIT_FLOOR_MS,
  replyWaitMs,
  type UnitHealth,
} from "./unit-health.ts";

const CAP_MS = 50;
const silences = (count: number, atMs = 0, from: UnitHealth = newHealth()) =>
  Array.from({ length: count }).reduce<UnitHealth>((health) => afterTimeout(health, atMs, 10, 0.5), from);

test("the breaker opens at the third silence in a row and an answer closes it", () => {
  expect(breakerState(silences(OPEN_AFTER_TIMEOUTS - 1), 0)).toBe("closed");
  expect(breakerState(silences(OPEN_AFTER_TIMEOUTS), 0)).toBe("open");
  expect(breakerState(afterReply(silences(9), null, 1), 0)).toBe("closed");
  expect(breakerState(silences(2, 0, afterReply(silences(2), null, 1)), 0)).toBe("closed");
});

test("an open breaker is half-open after 250 ms, then 500, and at most about 5 s", () => {
  let health = silences(OPEN_AFTER_TIMEOUTS);
  for (const openMs of [250, 500, 1000, 2000, 4000, 5000, 5000]) {
    expect(health.openUntilMs).toBeCloseTo(openMs, 6);
    expect(breakerState(health, health.openUntilMs)).toBe("half-open");
    health = afterTimeout(health, 0, 10, 0.5);
  }
});

test("the wait is learned, never below the floor nor above the cap", () => {
  fc.assert(
    fc.property(fc.array(fc.oneof(fc.double({ min: 0, max: 500, noNaN: true }), fc.constant(null))), (samples) => {
      let health = newHealth();
      for (const sample of samples) {
        health = sample === null ? afterTimeout(health, 0, 10, 0) : afterReply(health, sample, 0);
        const waitMs = replyWaitMs(health, CAP_MS);
        expect(waitMs).toBeGreaterThanOrEqual(REPLY_WAIT_FLOOR_MS);
        expect(waitMs).toBeLessThanOrEqual(CAP_MS);
      }
    }),
  );
});

test("a quick drive is given up soon, a new one not, and a time-out makes patient", () => {
  let health = newHealth();
  expect(replyWaitMs(health, CAP_MS)).toBe(CAP_MS);
  for (let i = 0; i < 50; i++) health = afterReply(health, 1, 0);
  expect(replyWaitMs(health, CAP_MS)).toBe(REPLY_WAIT_FLOOR_MS);
  health = afterTimeout(health, 0, 10, 0);
  expect(replyWaitMs(health, CAP_MS)).toBe(2 * REPLY_WAIT_FLOOR_MS);
  health = afterReply(health, 1, 0);
  expect(replyWaitMs(health, CAP_MS)).toBeGreaterThan(1.5 * REPLY_WAIT_FLOOR_MS);
  for (let i = 0; i < 50; i++) health = afterReply(health, 1, 0);
  expect(replyWaitMs(health, CAP_MS)).toBe(REPLY_WAIT_FLOOR_MS);
});
