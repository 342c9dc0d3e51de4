import { expect, test } from "vitest";
import { FakeClock } from "./fake-clock.ts";
import { LookPause } from "./look-pause.ts";

const never = new AbortController().signal;

/** How long one pause takes, ms; `during` happens after the first `afterMs` of it. */
async function pauseOf(clock: FakeClock, pause: LookPause, during?: () => void, afterMs = 0): Promise<number> {
  const startMs = clock.monotonicMs();
  let over = false;
  void pause.take(never).then(() => {
    over = true;
  });
  if (during) {
    await clock.advance(afterMs);
    during();
  }
  while (!over) await clock.advance(0.1);
  return Math.round((clock.monotonicMs() - startMs) * 10) / 10;
}

test("pauses grow from one millisecond to ten, and begin anew when something is expected", async () => {
  const clock = new FakeClock();
  const pause = new LookPause(clock);
  const pauses: number[] = [];
  for (let look = 0; look < 12; look++) pauses.push(await pauseOf(clock, pause));
  expect(pauses[0]).toBeCloseTo(1, 0);
  expect(pauses).toEqual([...pauses].sort((a, b) => a - b));
  expect(pauses.at(-1)).toBeCloseTo(10, 0);
  pause.hurry();
  expect(await pauseOf(clock, pause)).toBeLessThan(1.2);
});

test("a pause that runs ends within a millisecond of the hurry, however often it is repeated", async () => {
  const clock = new FakeClock();
  const pause = new LookPause(clock);
  for (let look = 0; look < 12; look++) await pauseOf(clock, pause);
  const hurries = () => {
    pause.hurry();
    for (const laterMs of [0.3, 0.6, 0.9]) clock.after(laterMs, () => pause.hurry());
  };
  expect(await pauseOf(clock, pause, hurries, 2)).toBeCloseTo(3, 0);
});

test("a pause ends when its signal does", async () => {
  const pause = new LookPause(new FakeClock());
  const stop = new AbortController();
  const taken = pause.take(stop.signal);
  stop.abort();
  await taken;
  await pause.take(stop.signal);
});
