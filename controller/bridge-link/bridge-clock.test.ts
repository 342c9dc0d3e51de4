import fc from "fast-check";
import { expect, it } from "vitest";
import { BridgeClock } from "./bridge-clock.ts";

it("is never ahead of the bridge's own clock, however late beats arrive", () => {
  const beats = fc.array(
    fc.record({ sentAtMs: fc.integer({ min: 0, max: 1_000_000 }), wayMs: fc.integer({ min: 0, max: 5000 }) }),
    { minLength: 1, maxLength: 40 },
  );
  fc.assert(
    fc.property(beats, fc.integer({ min: -1_000_000, max: 1_000_000 }), (ways, aheadMs) => {
      const clock = new BridgeClock();
      for (const [seq, { sentAtMs, wayMs }] of ways.entries()) {
        clock.heard({ bridgeBoot: "b", seq, monotonicMs: sentAtMs + aheadMs, reportSeq: 0 }, sentAtMs + wayMs);
      }
      const nowMs = 2_000_000;
      expect(clock.at(nowMs)).toBeLessThanOrEqual(nowMs + aheadMs);
    }),
  );
});

it("trusts the beat that came the quickest way", () => {
  const clock = new BridgeClock();
  expect(clock.at(0)).toBeNull();
  clock.heard({ bridgeBoot: "b", seq: 1, monotonicMs: 1000, reportSeq: 0 }, 50);
  clock.heard({ bridgeBoot: "b", seq: 2, monotonicMs: 1100, reportSeq: 0 }, 550);
  expect(clock.at(600)).toBe(1550);
});
