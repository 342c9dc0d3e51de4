import fc from "fast-check";
import { expect, test } from "vitest";
import { HomingSequence } from "./homing-sequence.ts";
import { benchPlant, Motor } from "./motor.ts";

const rates = { fast: 50_000, slow: 5000, acceleration: 500_000, deceleration: 500_000 };
/** A creeping shaft is this far beyond the edge at most when a step of the plant sees it, counts. */
const SEEN_WITHIN = 20;
const UPPER_EDGE = -4000;

function homeFrom(startAt: number) {
  const motor = new Motor({ ...benchPlant, startAt });
  motor.power(true);
  const sequence = new HomingSequence(motor, {
    direction: -1,
    reference: "home-switch",
    travelMax: null,
    ...rates,
  });
  for (let n = 0; n < 60_000 && !sequence.finished; n++) {
    motor.step();
    sequence.step();
  }
  return sequence.result;
}

const places = fc.oneof(
  fc.integer({ min: -19_000, max: 20_000 }),
  fc.integer({ min: UPPER_EDGE - 60, max: UPPER_EDGE + 60 }),
  fc.integer({ min: -6060, max: -5940 }),
);

test("the same edge is found from every place, also from right beside the switch", () => {
  fc.assert(
    fc.property(places, (startAt) => {
      const result = homeFrom(startAt);
      expect(result.at).toBe("attained");
      if (result.at !== "attained") return;
      expect(result.edge).toBeLessThanOrEqual(UPPER_EDGE);
      expect(result.edge).toBeGreaterThanOrEqual(UPPER_EDGE - SEEN_WITHIN);
    }),
    { numRuns: 100 },
  );
});
