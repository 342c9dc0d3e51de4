import { expect, test } from "vitest";
import { runLineTrial } from "./testing/line-trial.ts";

/** The long form is `npm run trial:line` (a million transactions). */
const TRANSACTIONS = 20_000;
const SEED = 20_261_121;

test("a bad line gives no wrong value, sends no command twice and tells no command wrongly", async () => {
  const result = await runLineTrial(SEED, TRANSACTIONS);
  expect(result).toMatchObject({ seed: SEED, wrongValues: 0, sentTwice: 0, toldWrong: 0, gapsTooShort: 0 });
  // The line was bad indeed, and the drives were heard all the same.
  expect(result.unanswered).toBeGreaterThan(TRANSACTIONS / 20);
  expect(result.lateAnswers).toBeGreaterThan(TRANSACTIONS / 200);
  expect(result.answered).toBeGreaterThan(TRANSACTIONS / 2);
});

test("the trial notices an engine that takes late answers for the next ones", async () => {
  const result = await runLineTrial(SEED, TRANSACTIONS / 4, false);
  expect(result.wrongValues).toBeGreaterThan(0);
});
