import type { AxisId } from "@servofleet/contracts";
import fc from "fast-check";
import { expect, test } from "vitest";
import { SampleRing } from "./sample-ring.ts";

const axis = "x1" as AxisId;
const number = fc.oneof(fc.constant(null), fc.double({ noNaN: true, noDefaultInfinity: true }));
const sample = fc.record({
  axis: fc.constant(axis),
  atUs: fc.constant(0),
  position: fc.double({ noNaN: true, noDefaultInfinity: true }),
  velocity: number,
  followingError: number,
  torque: number,
  temperature: number,
  moving: fc.boolean(),
  quality: fc.constantFrom("good" as const, "stale" as const, "uncertain" as const, "bad" as const),
});

test("the ring gives back the samples of its span as they were, at most as many as it may hold", () => {
  const steps = fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 600 });
  fc.assert(
    fc.property(steps, fc.array(sample, { minLength: 1, maxLength: 9 }), (apart, some) => {
      const ring = new SampleRing(axis, 5000, 300);
      let atUs = 0;
      const all = apart.map((us, n) => {
        atUs += us;
        return { ...(some[n % some.length] as (typeof some)[number]), atUs };
      });
      for (const one of all) ring.add(one);
      const wanted = all.filter((one) => one.atUs >= atUs - 5000).slice(-300);
      expect(ring.samples()).toEqual(wanted);
    }),
  );
});
