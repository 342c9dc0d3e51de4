import { expect, test } from "vitest";
import { stopBoundMs } from "./bus-cost.ts";
import type { ModbusRequest } from "./link.ts";
import { virtualBench, virtualConfig } from "./testing/virtual-bench.ts";

const UNITS = [1, 2, 3, 4, 5, 6, 7, 8];
const POLL: ModbusRequest = { fn: "read", address: 100, quantity: 20 };
/** Rounding of virtual nanoseconds. */
const ROUNDING_MS = 0.001;

/** Asks each unit again as soon as it has answered. */
function saturate(bench: Awaited<ReturnType<typeof virtualBench>>, answered: (unit: number) => void = () => undefined) {
  let over = false;
  const pause = () => new Promise<void>((resolve) => bench.clock.after(5, resolve));
  const loops = UNITS.map(async (unit) => {
    while (!over) {
      const done = await bench.line.transact(unit, POLL, { class: "poll" }).catch(() => undefined);
      if (done) answered(unit);
      else await pause();
    }
  });
  return async () => {
    over = true;
    await bench.clock.advance(1000);
    await Promise.all(loops);
  };
}

test("on a full line one lost answer does not end the polls of its drive", async () => {
  const bench = await virtualBench(virtualConfig(), UNITS);
  const polls = new Map<number, number>();
  const end = saturate(bench, (unit) => polls.set(unit, (polls.get(unit) ?? 0) + 1));
  bench.drives.silent.add(3);
  while (bench.line.stats().errors.timeout === 0) await bench.clock.advance(1);
  bench.drives.silent.clear();
  polls.clear();
  await bench.clock.advance(2000);
  expect(polls.get(3)).toBeGreaterThan(0.8 * (polls.get(1) ?? 0));
  await end();
});

test.each([
  ["9600 baud", virtualConfig({ baud: 9600 })],
  ["115200 baud", virtualConfig()],
  ["921600 baud", virtualConfig({ baud: 921_600, stopWaitMaxMs: 5 })],
])(
  "no stop on a full line of %s waits longer than its computed bound, also behind a drive that went silent",
  async (_name, config) => {
    const bench = await virtualBench(config, UNITS, { seed: 7 });
    const end = saturate(bench);
    const excessMs: number[] = [];
    let closest = 0;
    for (let trial = 0; trial < 200; trial++) {
      await bench.clock.advance(50 + 100 * bench.random.next());
      // A drive goes silent at any moment, also while it is being asked.
      bench.drives.silent.clear();
      bench.drives.silent.add(1 + Math.floor(bench.random.next() * UNITS.length));
      await bench.clock.advance(bench.random.next() * 10);
      const submittedMs = bench.clock.monotonicMs();
      const firstByteMs: number[] = [];
      const listening = UNITS.filter((unit) => !bench.drives.silent.has(unit));
      const stops = listening.map((unit) =>
        bench.line.transact(
          unit,
          { fn: "write", address: 9, value: trial },
          { class: "stop", onSent: ({ monotonicMs }) => firstByteMs.push(monotonicMs) },
        ),
      );
      while (firstByteMs.length < stops.length) await bench.clock.advance(5);
      await bench.clock.advance(config.stopWaitMaxMs);
      await Promise.all(stops);
      firstByteMs.forEach((atMs, ahead) => {
        const bound = stopBoundMs(bench.cost, ahead, [POLL]);
        excessMs.push(atMs - submittedMs - bound);
        if (ahead === 0) closest = Math.max(closest, (atMs - submittedMs) / bound);
      });
    }
    expect(Math.max(...excessMs)).toBeLessThanOrEqual(ROUNDING_MS);
    // A bound that nothing comes near would be no computation but a guess.
    expect(closest).toBeGreaterThan(0.5);
    await end();
  },
);
