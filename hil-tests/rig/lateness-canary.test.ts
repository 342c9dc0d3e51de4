import { FakeClock } from "@servofleet/runtime/fake-clock";
import { expect, test } from "vitest";
import { LatenessCanary } from "./lateness-canary.ts";

test("it keeps the worst lateness it has met, and none while the machine is in time", async () => {
  const clock = new FakeClock();
  let heldUpMs = 0;
  const slow = {
    ...clock,
    monotonicMs: () => clock.monotonicMs() + heldUpMs,
    after: (ms: number, run: () => void) => clock.after(ms, run),
  } as unknown as FakeClock;
  const canary = new LatenessCanary(slow);
  await clock.advance(500);
  expect(canary.worstMs).toBeCloseTo(0);
  heldUpMs = 730;
  await clock.advance(50);
  expect(canary.worstMs).toBeCloseTo(730);
  await clock.advance(500);
  expect(canary.worstMs).toBeCloseTo(730);
  canary.stop();
});
