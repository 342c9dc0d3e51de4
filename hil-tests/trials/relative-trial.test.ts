import { expect, test } from "vitest";
import { runRelativeMoves } from "./relative-trial.ts";

/** The long form is `npm run trial:relative`. */
const MOVES = 60;

test("no relative move goes twice on a line that loses, doubles and delays answers, whatever is repeated", async () => {
  const result = await runRelativeMoves({ seed: 1, moves: MOVES });
  expect(result.broken).toEqual([]);
  expect(result.ends.succeeded).toBeGreaterThan(MOVES / 2);
  expect(result.unknownOutcomes).toBeGreaterThan(0);
  expect(result.ordersTwice).toBeGreaterThan(MOVES / 2);
});

test("a bridge that does not know an order again is found out", async () => {
  const result = await runRelativeMoves({ seed: 1, moves: 40, forgetful: true });
  expect(result.doubled).toBeGreaterThan(0);
});
