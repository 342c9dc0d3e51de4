import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { FakeClock, seededRandom } from "@servofleet/runtime/fake-clock";
import { systemRandom } from "@servofleet/runtime/system-clock";
import fc from "fast-check";
import { expect, test } from "vitest";
import { newEvent } from "./event-log.contract.ts";
import { type EventLog, LogError, type NewEvent } from "./event-log.ts";
import { verifyLog } from "./log-verify.ts";
import { MemoryEventLog } from "./memory-event-log.ts";
import { openEventLog } from "./open-event-log.ts";

interface Model {
  readonly memory: MemoryEventLog;
}
interface Real {
  log: EventLog;
  reopen(): Promise<void>;
}
type Answer = string | readonly { readonly position: number; readonly stream: string; readonly version: number }[];

const answerOf = (appended: ReturnType<EventLog["append"]>): Promise<Answer> =>
  appended.then(
    (events) => events.map(({ position, stream, version }) => ({ position, stream, version })),
    (error: unknown) => {
      if (error instanceof LogError) return error.code;
      throw error;
    },
  );
const facts = (events: Awaited<ReturnType<EventLog["read"]>>) =>
  events.map(({ position, stream, version, commandId, data }) => ({ position, stream, version, commandId, data }));

/** Several calls in one turn, so that they share commits. */
class AppendTogether implements fc.AsyncCommand<Model, Real> {
  readonly calls: readonly (readonly NewEvent[])[];
  constructor(calls: readonly (readonly NewEvent[])[]) {
    this.calls = calls;
  }
  check = () => true;
  async run(model: Model, real: Real): Promise<void> {
    const expected = Promise.all(this.calls.map((events) => answerOf(model.memory.append(events))));
    const found = Promise.all(this.calls.map((events) => answerOf(real.log.append(events))));
    expect(await found).toEqual(await expected);
    expect(real.log.position).toBe(model.memory.position);
  }
  toString = () => `append(${JSON.stringify(this.calls)})`;
}
class ReadPage implements fc.AsyncCommand<Model, Real> {
  readonly after: number;
  readonly limit: number;
  constructor(after: number, limit: number) {
    this.after = after;
    this.limit = limit;
  }
  check = () => true;
  async run({ memory }: Model, { log }: Real): Promise<void> {
    expect(facts(await log.read(this.after, this.limit))).toEqual(facts(await memory.read(this.after, this.limit)));
    expect(facts(await log.readStream("axis-a", this.after, this.limit))).toEqual(
      facts(await memory.readStream("axis-a", this.after, this.limit)),
    );
    expect(facts(await log.readCommand("id-1"))).toEqual(facts(await memory.readCommand("id-1")));
    expect((await log.findById("id-2"))?.position).toBe((await memory.findById("id-2"))?.position);
  }
  toString = () => `read(${this.after}, ${this.limit})`;
}
class Reopen implements fc.AsyncCommand<Model, Real> {
  check = () => true;
  async run({ memory }: Model, real: Real): Promise<void> {
    const { epoch, logId } = real.log;
    await real.reopen();
    expect(real.log).toMatchObject({ epoch: epoch + 1, logId, position: memory.position, trouble: null });
  }
  toString = () => "reopen";
}

const streams = fc.constantFrom("axis-a", "axis-b", "link-l", "box-b") as fc.Arbitrary<NewEvent["stream"]>;
const ids = fc.option(fc.integer({ min: 0, max: 5 }), { nil: undefined, freq: 3 });
const anEvent = fc
  .tuple(streams, fc.string({ unit: "binary", maxLength: 20 }), ids)
  .map(([stream, reason, n]) =>
    newEvent(stream, reason, n === undefined ? {} : { id: `id-${n}`, commandId: `id-${n}` }),
  );
const commands = fc.commands(
  [
    fc
      .array(fc.array(anEvent, { maxLength: 4 }), { minLength: 1, maxLength: 6 })
      .map((calls) => new AppendTogether(calls)),
    fc.tuple(fc.nat(30), fc.integer({ min: 1, max: 40 })).map(([after, limit]) => new ReadPage(after, limit)),
    fc.constant(new Reopen()),
  ],
  { maxCommands: 25 },
);

test("whatever is asked in whatever order, the SQLite log answers as the memory log does, and its chain holds", async () => {
  await fc.assert(
    fc.asyncProperty(commands, async (asked) => {
      const directory = await mkdtemp(join(tmpdir(), "log-property-"));
      const parts = () => ({ clock: new FakeClock(), random: seededRandom(1) });
      const open = () =>
        // Ids of its own making must differ from those before a reopening, as they do in life.
        openEventLog({ directory, clock: new FakeClock(), random: systemRandom(), box: "b" });
      const real: Real = {
        log: await open(),
        async reopen() {
          await real.log.close();
          real.log = await open();
        },
      };
      try {
        await fc.asyncModelRun(() => ({ model: { memory: new MemoryEventLog(parts()) }, real }), asked);
        expect(await verifyLog(join(directory, "events.db"), new FakeClock())).toMatchObject({ ok: true });
      } finally {
        await real.log.close();
        await rm(directory, { recursive: true, force: true });
      }
    }),
    { numRuns: 40 },
  );
});
