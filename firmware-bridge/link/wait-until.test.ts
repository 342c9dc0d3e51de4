import { FakeClock } from "@servofleet/runtime/fake-clock";
import { systemClock } from "@servofleet/runtime/system-clock";
import { expect, test } from "vitest";
import { waitUntil } from "./wait-until.ts";

test("it is never early and never inside the call, also for a moment that has passed", async () => {
  const clock = systemClock();
  for (const waitMs of [-1, 0, 0.3, 1.1, 1.75, 3.646]) {
    const atMs = clock.monotonicMs() + waitMs;
    let inside = true;
    const calledMs = await new Promise<number>((resolve) => {
      waitUntil(clock, atMs, () => resolve(inside ? Number.NaN : clock.monotonicMs()));
      inside = false;
    });
    expect(calledMs).toBeGreaterThanOrEqual(atMs);
  }
});

test("a virtual clock gets it to the microsecond and without spinning", async () => {
  const clock = new FakeClock();
  const startMs = clock.monotonicMs();
  const calledMs: number[] = [];
  for (const waitMs of [0.3, 1.75, 20])
    waitUntil(clock, startMs + waitMs, () => calledMs.push(clock.monotonicMs() - startMs));
  await clock.advance(30);
  expect(calledMs.map((ms) => Math.round(ms * 1000))).toEqual([300, 1750, 20_000]);
});

test("cancelled in time, it never calls", async () => {
  const clock = new FakeClock();
  let called = false;
  const cancel = waitUntil(clock, clock.monotonicMs() + 5, () => {
    called = true;
  });
  await clock.advance(4);
  cancel();
  await clock.advance(10);
  expect(called).toBe(false);
});
