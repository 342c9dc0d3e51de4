import { systemClock } from "@servofleet/runtime/system-clock";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type RunningBox, startBox } from "../box/running-box.ts";
import { killInMidMove, withWatchdog } from "../trials/mid-move-kills.ts";
import { runRetryStorm } from "../trials/retry-storm.ts";

/** With the times, and 10,000 retries: `npm run trial:kills`. */
let box: RunningBox;
beforeAll(async () => {
  box = await startBox({ links: withWatchdog });
});
afterAll(() => box?.stop());

test("one command under one key moves the drive at most once, whoever repeats it and whatever is killed", async () => {
  const storm = { axis: "y1", clients: 20, retries: 200, kills: ["controller"] as const, position: 123.4, key: "k" };
  const result = await runRetryStorm(box, systemClock(), storm);
  expect(result.broken).toEqual([]);
  expect(result.retries).toBeGreaterThanOrEqual(200);
}, 120_000);

/** The bridge until the pause before its successor is the longest there is, then both in turns. */
const VICTIMS = [
  ...Array.from({ length: 8 }, () => "bridge" as const),
  ...Array.from({ length: 6 }, () => ["controller", "bridge"] as const).flat(),
];

test("a kill in mid-move leaves nothing but stops behind, twenty times, with a watchdog in the drive and without", async () => {
  for (const service of VICTIMS) {
    const result = await killInMidMove(box, service);
    expect(result.broken).toEqual([]);
    expect(result.classifiedMs).toBeGreaterThanOrEqual(0);
  }
}, 600_000);
