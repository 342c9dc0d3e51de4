import { systemClock } from "@servofleet/runtime/system-clock";
import { expect, test } from "vitest";
import { runPast } from "./past-trial.ts";

test("every moment of a log is answered at its own position, and a rebuild gives the same bytes", async () => {
  // The long form is `npm run trial:past`.
  const outcome = await runPast({ events: 12_000, questions: 3, clock: systemClock() });
  expect(outcome).toMatchObject({ trial: "past", events: 12_000, answers: 18, wrong: 0 });
  expect(outcome.rows).toBeGreaterThan(1400);
});
