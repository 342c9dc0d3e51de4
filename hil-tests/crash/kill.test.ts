import { tmpdir } from "node:os";
import { systemClock } from "@servofleet/runtime/system-clock";
import { expect, test } from "vitest";
import { killTrial } from "./kill-trial.ts";

const SEED = 20_261_121;
const KILLS = 100;
/** A machine on which they do not fit kills less, and says so. */
const ROOM_MS = 420_000;
const LIMIT = { timeout: 600_000 };
const clock = systemClock();

test("a controller killed under load loses no command, sends none twice, and its log verifies", LIMIT, async () => {
  const endMs = clock.monotonicMs() + ROOM_MS;
  const enough = () => clock.monotonicMs() >= endMs;
  const outcome = await killTrial({ kills: KILLS, seed: SEED, scratch: tmpdir(), enough });
  process.stdout.write(`kill -9: ${outcome.kills} of ${KILLS} kills, seed ${SEED}: ${JSON.stringify(outcome)}\n`);
  expect(outcome).toMatchObject({
    lost: 0,
    sentTwice: 0,
    sentUnlogged: 0,
    otherCommand: 0,
    wrongEnds: 0,
    flaw: null,
  });
  expect(outcome.orders).toBeGreaterThan(0);
});

test("a controller that answers before its log has written loses commands, and the trial shows it", LIMIT, async () => {
  const plan = { kills: 2, seed: SEED, scratch: tmpdir(), weakness: "acknowledges-early" } as const;
  expect((await killTrial(plan)).lost).toBeGreaterThan(0);
});

test("an order that is heard a second time is counted", LIMIT, async () => {
  expect((await killTrial({ kills: 1, seed: SEED, scratch: tmpdir(), doubles: true })).sentTwice).toBeGreaterThan(0);
});
