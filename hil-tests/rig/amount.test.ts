import fc from "fast-check";
import { expect, test } from "vitest";
import { lengthIn, partOf, placeIn } from "./amount.ts";

const reach = fc
  .tuple(fc.integer({ min: -10_000, max: 10_000 }), fc.integer({ min: 1, max: 10_000 }))
  .map(([min, length]) => ({ min, max: min + length }));

test("shares of 0 to 100 % lie within the reach, others beyond it", () => {
  fc.assert(
    fc.property(reach, fc.integer({ min: -300, max: 300 }), (within, percent) => {
      const place = placeIn(within, `${percent}%`);
      const inside = place >= within.min && place <= within.max;
      expect(inside).toBe(percent >= 0 && percent <= 100);
    }),
  );
});

test("a distance is the difference of two places", () => {
  fc.assert(
    fc.property(reach, fc.integer({ min: 0, max: 100 }), fc.integer({ min: -100, max: 100 }), (within, from, by) => {
      const went = placeIn(within, `${from + by}%`) - placeIn(within, `${from}%`);
      expect(went).toBeCloseTo(lengthIn(within, `${by}%`), 3);
    }),
  );
});

test("plain numbers are units", () => {
  expect([placeIn({ min: 0, max: 1 }, 7), lengthIn({ min: 0, max: 1 }, -3), partOf(500, 20)]).toEqual([7, -3, 20]);
  expect(partOf(500, "150%")).toBe(750);
});
