import { expect, test } from "vitest";
import { virtualBench, virtualConfig } from "./testing/virtual-bench.ts";

const UNITS = [1, 2, 3];
const START = { fn: "write", address: 7, value: 1 } as const;

test("a broadcast is done without an answer, and the drives have time for it before the line speaks again", async () => {
  const bench = await virtualBench(virtualConfig({ stopWaitMaxMs: 50 }), UNITS);
  const sent: [number, number][] = [];
  bench.wire.onRequest = (atMs, request) => sent.push([request[0] ?? -1, atMs]);
  const done = bench.line.transact(0, START, { class: "command", broadcastDelayMs: 30 });
  const poll = bench.line.transact(2, { fn: "read", address: 1, quantity: 2 }, { class: "poll" });
  await bench.clock.advance(100);
  expect((await done).registers).toEqual([]);
  await poll;
  expect(sent.map(([unit]) => unit)).toEqual([0, 2]);
  expect((sent[1]?.[1] ?? 0) - (sent[0]?.[1] ?? 0)).toBeGreaterThanOrEqual(30);
  const { errors, units } = bench.line.stats();
  expect(errors).toEqual({ timeout: 0, crc: 0, exception: 0, mismatch: 0, late: 0 });
  expect(units.map(({ unit }) => unit)).toEqual(UNITS);
});

test("a stop waits behind a broadcast no longer than behind a drive that does not answer", async () => {
  const bench = await virtualBench(virtualConfig({ stopWaitMaxMs: 20 }), UNITS);
  const broadcast = bench.line.transact(0, START, { class: "command", broadcastDelayMs: 500 });
  const startMs = bench.clock.monotonicMs();
  const firstBytesMs: number[] = [];
  const stop = bench.line.transact(
    1,
    { fn: "write", address: 9, value: 1 },
    { class: "stop", onSent: (sent) => firstBytesMs.push(sent.monotonicMs) },
  );
  await bench.clock.advance(200);
  await Promise.all([broadcast, stop]);
  expect((firstBytesMs[0] ?? Number.NaN) - startMs).toBeLessThanOrEqual(bench.line.stats().stopBoundMs);
});

test("a broadcast cannot read", async () => {
  const bench = await virtualBench(virtualConfig(), UNITS);
  expect(() => bench.line.transact(0, { fn: "read", address: 1, quantity: 1 }, { class: "poll" })).toThrow(/broadcast/);
});

test("what a drive has shown prices its polls", async () => {
  const polls = [{ unit: 1, request: { fn: "read", address: 1, quantity: 10 } as const, periodMs: 20 }];
  const slow = await virtualBench(virtualConfig(), UNITS, { polls, turnaroundMs: 7.75 });
  const assumed = slow.line.stats().plannedLoad;
  for (let i = 0; i < 20; i++) {
    const done = slow.line.transact(1, { fn: "read", address: 1, quantity: 10 }, { class: "poll" });
    await slow.clock.advance(20);
    await done;
  }
  // 7.75 ms are the silence of 1.75 and six of its own: five more than assumed, in 20.
  expect(slow.line.stats().plannedLoad - assumed).toBeCloseTo(5 / 20, 2);
});

test("a line runs at the silence its configuration declares, and not one gap is shorter", async () => {
  const rate = async (silenceUs: number | "strict") => {
    const { line, clock, wire } = await virtualBench(virtualConfig({ baud: 921_600, silenceUs }), UNITS, {
      turnaroundMs: 0.2,
    });
    let done = 0;
    for (const unit of UNITS)
      void (async () => {
        for (;;) {
          await line.transact(unit, { fn: "read", address: 1, quantity: 10 }, { class: "poll" });
          done++;
        }
      })().catch(() => undefined);
    await clock.advance(1000);
    await line.close();
    expect(wire.gapsTooShort).toBe(0);
    return done;
  };
  // 33 characters of 10.85 us, the drive's 200 us and one silence.
  expect(await rate("strict")).toBeGreaterThan(0.97 * (1e6 / (358 + 200 + 1750)));
  expect(await rate(100)).toBeGreaterThan(0.97 * (1e6 / (358 + 200 + 100)));
});
