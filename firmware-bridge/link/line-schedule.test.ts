import fc from "fast-check";
import { expect, test } from "vitest";
import { LineSchedule, QUEUE_MAX, type Waiting } from "./line-schedule.ts";
import { TRANSACTION_CLASSES, type TransactionClass } from "./link.ts";

interface Entry extends Waiting {
  readonly id: number;
}
let ids = 0;
const entry = (name: TransactionClass, unit: number, queuedMs: number, notAfterMs?: number): Entry => {
  const id = ids++;
  return { class: name, unit, queuedMs, notAfterMs, block: `b${id}`, id };
};
const anybody = () => true;
const arbitraryEntry = fc.record({
  name: fc.constantFrom(...TRANSACTION_CLASSES),
  unit: fc.integer({ min: 1, max: 5 }),
  dueMs: fc.option(fc.integer({ min: 0, max: 500 }), { nil: undefined }),
});

test("what comes out is never of a lower class than what stays", () => {
  fc.assert(
    fc.property(fc.array(arbitraryEntry, { maxLength: 60 }), (entries) => {
      const schedule = new LineSchedule<Entry>();
      for (const { name, unit, dueMs } of entries) schedule.add(entry(name, unit, 0, dueMs));
      let last = 0;
      for (let taken = schedule.take(anybody); taken; taken = schedule.take(anybody)) {
        const rank = TRANSACTION_CLASSES.indexOf(taken.class);
        expect(rank).toBeGreaterThanOrEqual(last);
        last = rank;
      }
    }),
  );
});

test("everything comes out exactly once: taken, withdrawn or expired", () => {
  const step = fc.oneof(
    arbitraryEntry.map((e) => ({ do: "add" as const, ...e })),
    fc.constant({ do: "take" as const }),
    fc.integer({ min: 1, max: 5 }).map((unit) => ({ do: "withdraw" as const, unit })),
    fc.integer({ min: 0, max: 600 }).map((nowMs) => ({ do: "expire" as const, nowMs })),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 120 }), (steps) => {
      const schedule = new LineSchedule<Entry>();
      const inside = new Set<number>();
      const leave = (gone: readonly Entry[]) => {
        for (const { id } of gone) expect(inside.delete(id)).toBe(true);
      };
      for (const now of steps) {
        if (now.do === "add") {
          const added = entry(now.name, now.unit, 0, now.dueMs);
          if (schedule.add(added) === "queued") inside.add(added.id);
        } else if (now.do === "take") {
          const taken = schedule.take(anybody);
          if (taken) leave([taken]);
        } else if (now.do === "withdraw") {
          const gone = schedule.withdraw(now.unit);
          expect(gone.every((e) => e.unit === now.unit && e.class !== "stop")).toBe(true);
          leave(gone);
        } else {
          const gone = schedule.expire(now.nowMs);
          expect(gone.every((e) => (e.notAfterMs ?? Number.POSITIVE_INFINITY) < now.nowMs)).toBe(true);
          leave(gone);
        }
        expect(schedule.size).toBe(inside.size);
      }
    }),
  );
});

test("a unit that waits is served within a bounded number of turns, however urgent the others are", () => {
  fc.assert(
    fc.property(fc.integer({ min: 2, max: 6 }), fc.integer({ min: 0, max: 5 }), (units, seed) => {
      const schedule = new LineSchedule<Entry>();
      schedule.add(entry("poll", 0, 0, 1_000_000));
      // Every other unit always has something due sooner.
      const refill = (turn: number) => {
        for (let unit = 1; unit < units; unit++)
          schedule.add(entry("poll", unit, turn, turn + ((unit + seed) % units)));
      };
      const limit = 2 * units + units;
      for (let turn = 0; turn <= limit; turn++) {
        refill(turn);
        if (schedule.take(anybody)?.unit === 0) return;
      }
      expect.fail(`unit 0 waited more than ${limit} turns`);
    }),
  );
});

test("inside a class the earliest deadline goes first while nobody was passed over", () => {
  const schedule = new LineSchedule<Entry>();
  for (const dueMs of [30, 10, 20]) schedule.add(entry("command", dueMs, 0, dueMs));
  expect([1, 2, 3].map(() => schedule.take(anybody)?.notAfterMs)).toEqual([10, 20, 30]);
});

test("the stop of a unit known to be silent comes after the stops of those that listen", () => {
  const schedule = new LineSchedule<Entry>();
  for (const unit of [1, 2, 3]) schedule.add(entry("stop", unit, 0));
  const silent = (waiting: Entry) => (waiting.unit === 1 ? 1 : 0);
  expect([1, 2, 3].map(() => schedule.take(anybody, silent)?.unit)).toEqual([2, 3, 1]);
});

test("every queue is bounded, and one poll of a block waits per unit", () => {
  for (const name of TRANSACTION_CLASSES) {
    const schedule = new LineSchedule<Entry>();
    for (let i = 0; i < QUEUE_MAX[name]; i++) expect(schedule.add(entry(name, 1, 0))).toBe("queued");
    expect(schedule.add(entry(name, 1, 0))).toBe("full");
  }
  const schedule = new LineSchedule<Entry>();
  const poll = entry("poll", 1, 0);
  expect(schedule.add(poll)).toBe("queued");
  expect(schedule.add(poll)).toBe("duplicate");
  expect(schedule.add({ ...poll, unit: 2 })).toBe("queued");
  expect(schedule.add({ ...poll, class: "confirm" })).toBe("queued");
});
