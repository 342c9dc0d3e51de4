import type { BoxId } from "@servofleet/contracts";
import { FakeClock, seededRandom } from "@servofleet/runtime/fake-clock";
import { expect, it } from "vitest";
import { watchClock } from "./clock-watch.ts";
import { MemoryEventLog } from "./event-log/memory-event-log.ts";
import { AxisBook } from "./inbox/axis-book.ts";
import { Journal } from "./inbox/journal.ts";

it("records a step of the wall clock, once and in microseconds, and no slew", async () => {
  const clock = new FakeClock();
  const log = new MemoryEventLog({ clock, random: seededRandom(1) });
  const journal = new Journal(log, new AxisBook([]), clock);
  const silent = { info: () => undefined, warn: () => undefined, error: () => undefined };
  const timer = watchClock("b" as BoxId, clock, journal, silent);
  clock.stepWall(10_000);
  await clock.advance(3000);
  expect(await log.read(0, 10)).toEqual([]);
  clock.stepWall(-5_000_000);
  await clock.advance(3000);
  await journal.settled();
  const events = await log.read(0, 10);
  expect(events.map(({ type }) => type)).toEqual(["ClockStepped"]);
  const { fromUs = 0, toUs = 0 } = (events[0]?.data ?? {}) as { fromUs?: number; toUs?: number };
  expect(toUs - fromUs).toBe(-5_000_000);
  timer.cancel();
});
