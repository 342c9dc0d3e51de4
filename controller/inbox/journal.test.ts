import { type AxisStatus, axisStream, type Command } from "@servofleet/contracts";
import { FakeClock, seededRandom } from "@servofleet/runtime/fake-clock";
import fc from "fast-check";
import { expect, it } from "vitest";
import { initialAxis } from "../domain/axis-state.ts";
import { decide, isRefusal } from "../domain/decide.ts";
import { decideReport } from "../domain/decide-report.ts";
import { nextStopGeneration } from "../domain/decide-stop.ts";
import { dispatchEvents } from "../domain/dispatch.ts";
import { evolveRecorded } from "../domain/evolve.ts";
import { AXIS, axisConfig, commandId, statusOf } from "../domain/testing/axis-scene.ts";
import { LogError } from "../event-log/event-log.ts";
import { MemoryEventLog } from "../event-log/memory-event-log.ts";
import { AxisBook } from "./axis-book.ts";
import { Journal } from "./journal.ts";

const READY: AxisStatus = statusOf({ positionCounts: 100 });

function desk() {
  const clock = new FakeClock();
  const log = new MemoryEventLog({ clock, random: seededRandom(1) });
  const config = axisConfig();
  const book = new AxisBook([config]);
  const journal = new Journal(log, book, clock);
  const refused: unknown[] = [];
  const note = (done: Promise<unknown>) => void done.catch((error: unknown) => refused.push(error));
  let n = 0;
  const see = (status: AxisStatus) =>
    note(journal.record([{ axis: AXIS, events: decideReport({ type: "axis-status", status }, book.current(AXIS)) }]));
  return {
    clock,
    log,
    config,
    book,
    journal,
    refused,
    see,
    move() {
      n += 1;
      const command: Command = {
        commandId: commandId(n),
        axis: AXIS,
        request: { type: "MoveAbsolute", position: n % 700 },
        principal: "local",
        fingerprint: "f",
        receivedAtMs: 0,
        ttlMs: 5000,
      };
      const events = decide(command, book.current(AXIS), READY);
      if (!isRefusal(events)) note(journal.record([{ axis: AXIS, events }]));
    },
    dispatch() {
      const waiting = [...book.current(AXIS).open.values()].find(({ phase }) => phase === "accepted");
      if (!waiting) return;
      const events = dispatchEvents(book.current(AXIS), waiting.commandId, `order-${waiting.commandId}`);
      note(journal.record([{ axis: AXIS, events }]));
    },
    stop() {
      n += 1;
      const stopGeneration = nextStopGeneration(book.current(AXIS));
      const raised = {
        stopId: `s-${n}`,
        scope: "axis",
        reason: "person",
        principal: "local",
        at: "2026-11-21T10:00:00Z",
      };
      note(journal.recordStops([{ axis: AXIS, stop: { ...raised, stopGeneration } }]));
      return stopGeneration;
    },
    release() {
      const command: Command = {
        commandId: commandId(10_000 + n++),
        axis: AXIS,
        request: { type: "Reset" },
        principal: "local",
        fingerprint: "f",
        receivedAtMs: 0,
        ttlMs: 5000,
      };
      const events = decide(command, book.current(AXIS), READY);
      if (!isRefusal(events)) note(journal.record([{ axis: AXIS, events }]));
    },
  };
}
const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

it("keeps the log a story that folds, and the book the same as it, however often the disk is full in between", async () => {
  const steps = fc.array(fc.constantFrom("move", "dispatch", "stop", "release", "full", "room", "turn", "see"), {
    maxLength: 60,
  });
  await fc.assert(
    fc.asyncProperty(steps, async (script) => {
      const on = desk();
      on.see(READY);
      await on.journal.settled();
      let newestStop = 0;
      for (const step of script) {
        if (step === "full") on.log.trouble = "log-full";
        else if (step === "room") on.log.trouble = null;
        else if (step === "turn") await turn();
        else if (step === "see") on.see(READY);
        else if (step === "stop") newestStop = on.stop();
        else on[step]();
        // Whatever the disk does, no stop is ever forgotten.
        expect(on.book.current(AXIS).stopGeneration).toBeGreaterThanOrEqual(newestStop);
      }
      on.log.trouble = null;
      await on.journal.settled();
      for (let i = 0; i < 5; i++) {
        await on.clock.advance(1000);
        await turn();
      }
      const recorded = await on.log.readStream(axisStream(AXIS), 0, 1000);
      const folded = recorded.reduce(evolveRecorded, initialAxis(on.config));
      expect(on.book.committed(AXIS)).toEqual(folded);
      expect(on.book.current(AXIS)).toEqual(folded);
      expect(folded.stopGeneration).toBe(newestStop);
      for (const error of on.refused) expect(error).toBeInstanceOf(LogError);
    }),
    { numRuns: 150 },
  );
});

it("shares one append between decisions made while another is on its way", async () => {
  const on = desk();
  on.see(READY);
  await on.journal.settled();
  const appends: number[] = [];
  const append = on.log.append.bind(on.log);
  on.log.append = (events, options) => {
    appends.push(events.length);
    return append(events, options);
  };
  for (let i = 0; i < 50; i++) on.move();
  await on.journal.settled();
  expect(appends).toHaveLength(2);
  expect(appends[0]).toBeLessThan(appends[1] ?? 0);
});

it("calls for the end of the process when the log is poisoned or an event is not as its schema says", async () => {
  const on = desk();
  const broken: unknown[] = [];
  on.journal.onBroken = (error) => broken.push(error);
  on.log.trouble = "log-poisoned";
  await expect(on.journal.record([{ stream: "box-b", events: [{ type: "LinkWentUp", data: {} }] }])).rejects.toThrow();
  on.log.trouble = null;
  const wrong = { type: "BoxStopped", data: { reason: 7 } } as never;
  await expect(on.journal.record([{ stream: "box-b", events: [wrong] }])).rejects.toThrow();
  expect(broken).toHaveLength(2);
});

it("lets a decision without events share the fate of what it rests on", async () => {
  const on = desk();
  on.see(READY);
  await on.journal.settled();
  const nothing = () => on.journal.record([{ axis: AXIS, events: [] }]);
  on.log.trouble = "log-full";
  on.move();
  // Decided on an axis that had taken the move for accepted, which the disk is just refusing.
  await expect(nothing()).rejects.toThrow(LogError);
  await expect(nothing()).resolves.toEqual([]);
  on.log.trouble = null;
  on.move();
  await expect(nothing()).resolves.toEqual([]);
});
