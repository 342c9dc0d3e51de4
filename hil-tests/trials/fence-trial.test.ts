import { expect, test } from "vitest";
import { runFence } from "./fence-trial.ts";

/** The long form is `npm run trial:fence`. */
const SHORT = { seed: 1, clients: 50, operations: 300 } as const;

test("no start reaches a drive under a control that has changed hands", async () => {
  const result = await runFence(SHORT);
  expect(result.broken).toEqual([]);
  expect(result.starts).toBeGreaterThan(3);
  expect(result.leases + result.takenOver).toBeGreaterThan(15);
  expect(result.refusedAsStale).toBeGreaterThan(0);
});

test("a bridge without fencing numbers is found out", async () => {
  const result = await runFence({ ...SHORT, unfenced: true });
  expect(result.stale).toBeGreaterThan(0);
});
