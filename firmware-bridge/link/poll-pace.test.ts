import { FakeClock } from "@servofleet/runtime/fake-clock";
import fc from "fast-check";
import { expect, test } from "vitest";
import type { ModbusRequest } from "./link.ts";
import { PollPace, type PollStretch, pollStretch } from "./poll-pace.ts";
import { virtualBench, virtualConfig } from "./testing/virtual-bench.ts";

test("what fits runs as configured", () => {
  expect(pollStretch(0.4, 0.45, 0.85)).toEqual({ idle: 1, moving: 1 });
});

test("axes at rest give way first, moving ones only for what is still missing", () => {
  const idleOnly = pollStretch(0.6, 0.55, 0.85);
  expect(idleOnly.idle).toBeCloseTo(2, 9);
  expect(idleOnly.moving).toBe(1);
  const both = pollStretch(0.5, 1.6, 0.85);
  expect(both.idle).toBe(10);
  expect(both.moving).toBeCloseTo(2, 9);
});

test("stretched by rule, polls always fit their share", () => {
  const share = fc.double({ min: 0, max: 20, noNaN: true });
  fc.assert(
    fc.property(share, share, fc.double({ min: 0.2, max: 0.85, noNaN: true }), (idle, moving, most) => {
      const stretch = pollStretch(idle, moving, most);
      fc.pre(moving > 0 || idle / 10 <= most);
      fc.pre(idle / 10 < most);
      expect(idle / stretch.idle + moving / stretch.moving).toBeLessThanOrEqual(most + 1e-9);
      expect(Math.min(stretch.idle, stretch.moving)).toBeGreaterThanOrEqual(1);
    }),
  );
});

test("it is told once when polls are stretched and once when they are not any more", () => {
  const clock = new FakeClock();
  const told: PollStretch[] = [];
  const pace = new PollPace(clock, (stretch) => told.push(stretch));
  const pass = (unit: number, ms: number) => {
    const periodMs = pace.periodMs(unit, 10, unit === 1);
    pace.spent(unit, true, ms);
    return periodMs;
  };
  for (let i = 0; i < 50; i++) for (const unit of [1, 2, 3]) pass(unit, 5);
  expect(pass(1, 5)).toBe(10);
  expect(pass(2, 5)).toBeGreaterThan(25);
  for (let i = 0; i < 50; i++) for (const unit of [1, 2, 3]) pass(unit, 1);
  expect(pass(2, 1)).toBe(10);
  expect(told).toHaveLength(2);
});

test("on the line itself: moving axes keep their period, idle ones are stretched, and it shows in log and figures", async () => {
  const warned: string[] = [];
  const log = { info: () => undefined, warn: (_facts: object, text: string) => void warned.push(text) };
  const units = [1, 2, 3, 4, 5, 6];
  const bench = await virtualBench(virtualConfig(), units, { log });
  const read: ModbusRequest = { fn: "read", address: 1, quantity: 10 };
  const passes = new Map<number, number>();
  // Each read takes about 5.5 ms: unit 1 moves (every 20 ms), five stand and want 20 ms as well.
  for (const unit of units)
    void (async () => {
      for (;;) {
        const startMs = bench.clock.monotonicMs();
        await bench.line.transact(unit, read, { class: "poll" });
        passes.set(unit, (passes.get(unit) ?? 0) + 1);
        const restMs = startMs + bench.line.pollPeriodMs(unit, 20, unit === 1) - bench.clock.monotonicMs();
        await new Promise<void>((resolve) => bench.clock.after(Math.max(restMs, 0), resolve));
      }
    })().catch(() => undefined);
  await bench.clock.advance(1000);
  passes.clear();
  bench.line.stats();
  await bench.clock.advance(4000);
  const { load, pollStretch: stretch } = bench.line.stats();
  await bench.line.close();
  expect(passes.get(1)).toBeGreaterThan(0.9 * (4000 / 20));
  expect(load).toBeLessThan(0.9);
  expect(stretch?.moving).toBe(1);
  expect(stretch?.idle).toBeGreaterThan(1.5);
  expect(warned).toEqual(["the line is full: polls are stretched", "link down"]);
});
