import fc from "fast-check";
import { expect, test } from "vitest";
import { countLimits, isRunningOut, mustHalt } from "./limit-watch.ts";

const REACTION_MS = 60;

test("limits in counts stay ordered when the axis is turned round", () => {
  expect(countLimits(-10, 800, -100)).toEqual({ min: -80_000, max: 1000 });
});

test("only moving further out beyond a limit counts: the way back is free", () => {
  const limits = { min: 0, max: 1000 };
  expect(isRunningOut(1011, 5, limits, 10)).toBe(true);
  expect(isRunningOut(1005, 5, limits, 10)).toBe(false);
  expect(isRunningOut(1500, -5, limits, 10)).toBe(false);
  expect(isRunningOut(-11, -5, limits, 10)).toBe(true);
  expect(isRunningOut(500, 5, limits, 10)).toBe(false);
});

test("a halt asked for at every poll, and acting a reaction later, always ends before the limit", () => {
  const numbers = fc.record({
    speed: fc.integer({ min: 100, max: 200_000 }),
    acceleration: fc.integer({ min: 1000, max: 2_000_000 }),
    deceleration: fc.integer({ min: 10_000, max: 2_000_000 }),
    way: fc.constantFrom(1, -1),
  });
  fc.assert(
    fc.property(numbers, ({ speed, acceleration, deceleration, way }) => {
      const room = 20_000 + (speed * speed) / (2 * deceleration) + speed;
      const ends = way > 0 ? { minCounts: -room, maxCounts: room } : { minCounts: -room, maxCounts: room };
      const move = { velocity: way * speed, acceleration, deceleration, ...ends };
      const pollMs = 20;
      let position = 0;
      let now = 0;
      // Polls come every 20 ms; the reaction of 60 ms covers the next poll and the wire.
      for (let step = 0; step < 100_000 && !mustHalt(move, position, now * way, REACTION_MS); step++) {
        const next = Math.min(speed, now + (acceleration * pollMs) / 1000);
        position += (way * ((now + next) / 2) * pollMs) / 1000;
        now = next;
      }
      const soon = Math.min(speed, now + (acceleration * (REACTION_MS - pollMs)) / 1000);
      const ran = (soon * (REACTION_MS - pollMs)) / 1000 + (soon * soon) / (2 * deceleration);
      return Math.abs(position + way * ran) <= room + 1e-6;
    }),
  );
});
