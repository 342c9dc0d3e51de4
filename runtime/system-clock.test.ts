import { expect, test } from "vitest";
import { systemClock, systemRandom } from "./system-clock.ts";

test("bytes of chance are never handed out twice, whatever lengths are asked for", () => {
  const random = systemRandom();
  const seen = new Set<string>();
  for (let i = 0; i < 5000; i++) seen.add(Buffer.from(random.bytes(16)).toString("hex"));
  expect(seen.size).toBe(5000);
  expect(random.bytes(5000)).toHaveLength(5000);
  for (let i = 0; i < 1000; i++) {
    const x = random.next();
    expect(x >= 0 && x < 1).toBe(true);
  }
});

test("the wall clock carries microseconds and agrees with the system's", () => {
  const clock = systemClock();
  const drift = Math.abs(clock.wallUs() - Date.now() * 1000);
  expect(drift).toBeLessThan(1_000_000);
  expect(clock.monotonicMs()).toBeLessThanOrEqual(Number(clock.monotonicNs()) / 1e6);
});
