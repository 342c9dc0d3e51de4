import { expect, test } from "vitest";
import { runSeed } from "./run-seed.ts";

/** `npm run simulate` runs more. */
const SEEDS = 500;
const TEST_LIMIT_MS = 600_000;

test("the same seed twice gives the same log and the same motions", async () => {
  const [once, again] = [await runSeed(4), await runSeed(4)];
  expect(again.hash).toBe(once.hash);
  expect(once.events).toBeGreaterThan(50);
  expect((await runSeed(5)).hash).not.toBe(once.hash);
});

test(
  `no law is broken in seeds 1 to ${SEEDS}`,
  async () => {
    const broken: string[] = [];
    const reached = new Set<string>();
    let commands = 0;
    for (let seed = 1; seed <= SEEDS; seed++) {
      const result = await runSeed(seed);
      commands += result.commands;
      for (const state of result.reached) reached.add(state);
      for (const { law, how } of result.broken) broken.push(`seed ${seed}: ${law}: ${how}`);
    }
    expect(broken).toEqual([]);
    expect(commands).toBeGreaterThan(5000);
    // A simulation in which nothing goes wrong would break no law either.
    expect(reached.size).toBeGreaterThan(35);
  },
  TEST_LIMIT_MS,
);
