import fc from "fast-check";
import { expect, test } from "vitest";
import { plotScale, roundStep } from "./plot-scale.ts";

const value = fc.double({ min: -1e6, max: 1e6, noNaN: true });

test("values of the stretch land on its pixels, in order, and ticks are few and round", () => {
  fc.assert(
    fc.property(value, value, fc.double({ min: 0, max: 1, noNaN: true }), (one, other, share) => {
      const [low, high] = [Math.min(one, other), Math.max(one, other)];
      const scale = plotScale(low, high, 0, 100, 4, 0.001);
      const at = scale.at(low + share * (high - low));
      expect(at).toBeGreaterThanOrEqual(-1e-6);
      expect(at).toBeLessThanOrEqual(100 + 1e-6);
      expect(scale.ticks.length).toBeLessThanOrEqual(6);
      expect([...scale.ticks].sort((a, b) => a - b)).toEqual(scale.ticks);
    }),
  );
});

test("a flat line stands in the middle", () => {
  expect(plotScale(5, 5, 100, 0, 3, 1).at(5)).toBeCloseTo(50);
});

test.each([
  [0.9, 1],
  [1, 1],
  [1.2, 2],
  [2.1, 2.5],
  [26, 50],
  [700, 1000],
])("%d becomes a step of %d", (asked, step) => {
  expect(roundStep(asked)).toBeCloseTo(step);
});
