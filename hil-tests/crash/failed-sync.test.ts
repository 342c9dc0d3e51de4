import { expect, test } from "vitest";
import { failedSyncTrial } from "./failed-sync-trial.ts";
import { scratchPlace } from "./scratch-place.ts";

const LIMIT = { timeout: 300_000 };
/** Among the first of a life: at its opening, and under its commits. */
const PLAN = { syncs: [3, 5, 8], images: 150, seed: 20_261_121 } as const;

test("after a failed fsync nothing is acknowledged, and nothing acknowledged before or after the restart is lost", {
  ...LIMIT,
}, async () => {
  const outcome = await failedSyncTrial({ ...PLAN, weakness: "none", scratch: scratchPlace() });
  expect(outcome.failures).toEqual([]);
  expect(outcome).toMatchObject({ ackedAfter: 0, imagesWithLoss: 0, imagesWithWrong: 0, imagesWithFlaw: 0 });
  expect(outcome.faults).toBeGreaterThan(0);
});

test("a writer that goes on after a failed fsync acknowledges and loses, and the trial shows both", LIMIT, async () => {
  const plan = { ...PLAN, syncs: [9], weakness: "swallows-io-errors", scratch: scratchPlace() } as const;
  const outcome = await failedSyncTrial(plan);
  expect(outcome.ackedAfter).toBeGreaterThan(0);
  expect(outcome.imagesWithLoss).toBeGreaterThan(0);
});
