import fc from "fast-check";
import { expect, test } from "vitest";
import { FrameRing } from "./frame-ring.ts";
import { FRAME_RING_MAX } from "./link.ts";

const frame = fc.record({
  direction: fc.constantFrom("tx" as const, "rx" as const),
  atUs: fc.integer({ min: 0, max: 2_000_000_000_000_000 }),
  bytes: fc.uint8Array({ minLength: 1, maxLength: 400 }),
  unit: fc.oneof(fc.constant(null), fc.integer({ min: 0, max: 255 })),
});
const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex");

test("the ring gives back the newest frames as they were, in their order, however much has passed", () => {
  fc.assert(
    fc.property(fc.array(frame, { minLength: 1, maxLength: 40 }), fc.integer({ min: 1, max: 300 }), (some, rounds) => {
      const ring = new FrameRing();
      const added = Array.from({ length: rounds }, () => some).flat();
      for (const one of added) ring.add(one);
      const kept = ring.frames();
      const newest = added.slice(added.length - kept.length);
      expect(kept.map(({ direction, unit, hex: text }) => [direction, unit, text])).toEqual(
        newest.map(({ direction, unit, bytes }) => [direction, unit, hex(bytes)]),
      );
      const bytes = added.slice(-FRAME_RING_MAX).reduce((sum, one) => sum + one.bytes.length, 0);
      if (bytes < 200_000) expect(kept).toHaveLength(Math.min(added.length, FRAME_RING_MAX));
      expect(kept.length).toBeGreaterThan(0);
    }),
    { numRuns: 50 },
  );
});

test("what was asked for stays as it was while the ring turns on", () => {
  const ring = new FrameRing();
  ring.add({ direction: "tx", atUs: 1, bytes: new Uint8Array([1, 2, 3]), unit: 7 });
  const [first] = ring.frames();
  for (let n = 0; n < 5000; n++) ring.add({ direction: "rx", atUs: n, bytes: new Uint8Array(200).fill(9), unit: 1 });
  expect(first?.hex).toBe("010203");
  expect(ring.frames().every(({ hex: text }) => /^(09)+$/.test(text))).toBe(true);
});
