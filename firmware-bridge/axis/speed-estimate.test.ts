import fc from "fast-check";
import { expect, test } from "vitest";
import { mustHalt, type VelocityMove } from "./limit-watch.ts";
import { SpeedEstimate } from "./speed-estimate.ts";

const REACTION_MS = 60;
const jitters = fc.array(fc.double({ min: -1, max: 1, noNaN: true }), { minLength: 40, maxLength: 40 });

test("a steady speed is found within a twentieth through rounding and a millisecond of jitter", () => {
  fc.assert(
    fc.property(jitters, fc.integer({ min: 800, max: 50_000 }), fc.constantFrom(1, -1), (jitter, speed, way) => {
      const estimate = new SpeedEstimate();
      let last = null;
      for (const [n, off] of jitter.entries()) last = estimate.add(Math.round(way * speed * n * 0.01), n * 10 + off);
      expect(Math.abs((last?.countsPerS ?? 0) - way * speed)).toBeLessThan(0.05 * speed);
      expect(last?.ageMs).toBeGreaterThan(30);
    }),
  );
});

test("on a ramp the estimate is the speed of the age that it names", () => {
  const estimate = new SpeedEstimate();
  const acceleration = 10_000;
  for (let ms = 0; ms <= 500; ms += 10) {
    const found = estimate.add((acceleration * (ms / 1000) ** 2) / 2, ms);
    if (found) expect(found.countsPerS).toBeCloseTo((acceleration * (ms - found.ageMs)) / 1000, 3);
  }
});

test("polls slower than the window still tell a speed, and rest forgets the way that was there before", () => {
  const estimate = new SpeedEstimate();
  expect(estimate.add(0, 0)).toBeNull();
  expect(estimate.add(1, 4)).toBeNull();
  expect(estimate.add(200, 1004)?.countsPerS).toBeCloseTo(199);
  estimate.rest(-50_000, 1200);
  expect(estimate.add(-50_000, 1300)?.countsPerS).toBe(0);
});

test("a limit is halted for no more than a tenth of the stopping way too early, and never later than with the true speed", () => {
  const move: VelocityMove = {
    velocity: 4000,
    acceleration: 20_000,
    deceleration: 20_000,
    minCounts: 0,
    maxCounts: 10_000,
  };
  const haltAt = (speedAt: (counts: number, n: number) => { countsPerS: number; ageMs: number } | null): number => {
    for (let n = 0; n < 1000; n++) {
      const counts = Math.round(4000 * n * 0.01);
      const speed = speedAt(counts, n);
      if (speed && mustHalt(move, counts, speed.countsPerS, REACTION_MS, speed.ageMs)) return counts;
    }
    return Number.POSITIVE_INFINITY;
  };
  const ideal = haltAt(() => ({ countsPerS: 4000, ageMs: 0 }));
  fc.assert(
    fc.property(jitters, (jitter) => {
      const estimate = new SpeedEstimate();
      const found = haltAt((counts, n) => estimate.add(counts, n * 10 + (jitter[n % jitter.length] ?? 0)));
      expect(found).toBeLessThanOrEqual(ideal);
      expect(ideal - found).toBeLessThan(0.1 * (10_000 - ideal));
    }),
  );
});
