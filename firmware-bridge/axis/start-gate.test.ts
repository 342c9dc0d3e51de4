import type { AxisId } from "@servofleet/contracts";
import { FakeClock } from "@servofleet/runtime/fake-clock";
import { expect, test } from "vitest";
import { GATHER_MAX_MS, StartGate, type StartTicket } from "./start-gate.ts";

const axis = (n: number) => `x${n}` as AxisId;

/** Notes when the ticket may start. */
function started(ticket: StartTicket, clock: FakeClock): { atMs: number | null } {
  const seen = { atMs: null as number | null };
  void ticket.ready().then(() => {
    seen.atMs = clock.monotonicMs();
  });
  return seen;
}

test("an order alone starts at once", async () => {
  const clock = new FakeClock();
  const gate = new StartGate(clock);
  const beganMs = clock.monotonicMs();
  const seen = started(gate.enter(axis(1)), clock);
  await clock.advance(0);
  expect(seen.atMs).toBe(beganMs);
  expect(gate.last).toBeNull();
});

test("an order waits for those that came while it was made ready, and no longer than the bound", async () => {
  const clock = new FakeClock();
  const gate = new StartGate(clock);
  const [first, second, third] = [gate.enter(axis(1)), gate.enter(axis(2)), gate.enter(axis(3))];
  const a = started(first, clock);
  const beganMs = clock.monotonicMs();
  await clock.advance(5);
  expect(a.atMs).toBeNull();
  const b = started(second, clock);
  third.left();
  await clock.advance(0);
  expect([a.atMs, b.atMs]).toEqual([beganMs + 5, beganMs + 5]);
  const slow = gate.enter(axis(4));
  const c = started(gate.enter(axis(1)), clock);
  await clock.advance(GATHER_MAX_MS);
  expect(c.atMs).toBe(beganMs + 5 + GATHER_MAX_MS);
  const late = started(slow, clock);
  await clock.advance(0);
  expect(late.atMs).toBe(c.atMs);
});

test("the skew is what was sent and seen, and is told for several axes only", async () => {
  const gate = new StartGate(new FakeClock());
  const [first, second] = [gate.enter(axis(1)), gate.enter(axis(2))];
  first.sent(1000);
  expect(gate.last).toBeNull();
  second.sent(1000);
  first.moved(21_000);
  expect(gate.last).toEqual({ axes: ["x1", "x2"], sentSkewMs: 0, seenSkewMs: null });
  second.moved(23_500);
  expect(gate.last).toEqual({ axes: ["x1", "x2"], sentSkewMs: 0, seenSkewMs: 2.5 });
});
