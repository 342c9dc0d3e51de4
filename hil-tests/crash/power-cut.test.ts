import { systemClock } from "@servofleet/runtime/system-clock";
import { describe, expect, test } from "vitest";
import { powerCutTrial } from "./power-cut-trial.ts";
import { scratchPlace } from "./scratch-place.ts";

const SEED = 20_261_121;
/** 5,000 in all, as far as they fit: a loaded machine cuts less, and says so. */
const CUTS = [
  { workload: "young", images: 4600, share: 0.7 },
  { workload: "busy", images: 200, share: 0.15 },
  { workload: "sealing", images: 200, share: 0.15 },
] as const;
const ROOM_MS = 420_000;
const LIMIT = { timeout: 600_000 };
const clock = systemClock();

const within = (ms: number): (() => boolean) => {
  const endMs = clock.monotonicMs() + ms;
  return () => clock.monotonicMs() >= endMs;
};

describe("the power goes at any moment", () => {
  test.each(CUTS)("a $workload log has every acknowledged event once, and its chain holds", LIMIT, async (cut) => {
    const { workload, images, share } = cut;
    const enough = within(ROOM_MS * share);
    const plan = { workload, weakness: "none", images, seed: SEED, scratch: scratchPlace(), enough } as const;
    const outcome = await powerCutTrial(plan);
    process.stdout.write(`power cut, ${workload}: ${outcome.images} of ${images} images, seed ${SEED}\n`);
    expect(outcome.failures).toEqual([]);
    expect(outcome).toMatchObject({ imagesWithLoss: 0, imagesWithWrong: 0, imagesWithFlaw: 0 });
    // The cuts fell where it hurts: between a write and its answer.
    expect(outcome.imagesWithMore).toBeGreaterThan(0);
  });

  test("a writer with synchronous=NORMAL loses what it acknowledged, and the images show it", LIMIT, async () => {
    const plan = { workload: "young", weakness: "synchronous-normal", images: 60, seed: SEED } as const;
    const outcome = await powerCutTrial({ ...plan, scratch: scratchPlace() });
    expect(outcome.imagesWithLoss).toBeGreaterThan(5);
  });
});
