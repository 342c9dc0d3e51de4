import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { FakeClock } from "@servofleet/runtime/fake-clock";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { alarmHistory } from "../projections/alarm-history.ts";
import { axisBoard } from "../projections/axis-board.ts";
import { commandHistory } from "../projections/command-history.ts";
import { groupBoard } from "../projections/group-board.ts";
import { linkBoard } from "../projections/link-board.ts";
import { MemoryLogSource } from "../testing/memory-log-source.ts";
import { anyLog } from "../testing/random-log.ts";
import { accepted, LogBuilder, testFleet } from "../testing/recorded-events.ts";
import type { Projection } from "./projection.ts";
import { foldUntil, Projector } from "./projector.ts";
import { SqliteViewStore } from "./sqlite-view-store.ts";

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "servofleet-read-"));
});
afterEach(() => rm(directory, { recursive: true, force: true }));

const PROJECTIONS = [
  axisBoard,
  commandHistory,
  linkBoard,
  alarmHistory,
  groupBoard,
] as unknown as Projection<unknown>[];
const clock = new FakeClock();

async function opened<Row>(projection: Projection<Row>, log: MemoryLogSource): Promise<Projector<Row>> {
  const projector = new Projector(projection, log.logId, clock, await SqliteViewStore.open(directory, projection));
  await projector.open(log);
  return projector;
}

async function rebuilt(projection: Projection<unknown>, log: MemoryLogSource, until: number): Promise<string> {
  const fresh = new Projector(projection, log.logId, clock);
  await foldUntil(fresh, log, until);
  return fresh.dump();
}

describe("every projection", () => {
  it("is the same, byte for byte, whether it lived through the log with restarts or was rebuilt from it", async () => {
    await fc.assert(
      fc.asyncProperty(anyLog, fc.integer({ min: 1, max: 12 }), async (built, step) => {
        const log = new MemoryLogSource(built.events);
        for (const projection of PROJECTIONS) {
          await rm(join(directory, `${projection.name}.v${projection.version}.db`), { force: true });
          let live = await opened(projection, log);
          for (let at = step; at < built.events.length + step; at += step) {
            await foldUntil(live, log, Math.min(at, built.events.length));
            expect(await live.dump()).toBe(await rebuilt(projection, log, live.position));
            // A restart at every step: what comes back from the file goes on as if nothing had been.
            await live.close();
            live = await opened(projection, log);
            expect(live.position).toBe(Math.min(at, built.events.length));
          }
          await live.close();
        }
      }),
      { numRuns: 12 },
    );
  });

  it("keeps its rows the same when an event is handed over twice, and stops because of it", async () => {
    await fc.assert(
      fc.asyncProperty(anyLog, async (built) => {
        const log = new MemoryLogSource(built.events);
        for (const projection of PROJECTIONS) {
          const once = await rebuilt(projection, log, built.events.length);
          const twice = new Projector(projection, log.logId, clock);
          await twice.handle(built.events);
          await twice.handle(built.events.slice(-1));
          expect(await twice.dump()).toBe(once);
          expect(twice.halted?.code).toBe("position-gap");
        }
      }),
      { numRuns: 40 },
    );
  });
});

describe("a projector", () => {
  const fleet = () => {
    const log = new LogBuilder();
    log.configured(testFleet());
    log.move("c1", 10);
    return log;
  };

  it("rebuilds when the log is another one, shorter, or has another history", async () => {
    const log = fleet();
    const source = new MemoryLogSource(log.events);
    const first = await opened(commandHistory, source);
    await foldUntil(first, source, log.events.length);
    await first.close();

    const other = fleet();
    other.events.splice(3);
    other.add("axis-x1", "AxisWentOffline", { reason: "another history" });
    while (other.events.length < log.events.length) other.state({ position: 1 });
    for (const [events, logId] of [
      [log.events, "M"],
      [log.events.slice(0, 4), "L"],
      [other.events, "L"],
    ] as const) {
      const store = await SqliteViewStore.open(directory, commandHistory);
      const projector = new Projector(commandHistory, logId, clock, store);
      const kept = await store.page("", 1000);
      expect(await projector.open(new MemoryLogSource(events, logId))).toBe("rebuilding");
      expect(projector.position).toBe(0);
      expect(await store.page("", 1000)).toEqual([]);
      await store.save(
        0,
        { logId: "L", position: log.events.length, hash: log.events.at(-1)?.hash ?? "" },
        kept.map(([key, row]) => [key, row] as const),
      );
      await projector.close();
    }
  });

  it("drops the file of another version of its code", async () => {
    const log = fleet();
    const source = new MemoryLogSource(log.events);
    const first = await opened(commandHistory, source);
    await foldUntil(first, source, log.events.length);
    await first.close();
    const next = await opened({ ...commandHistory, version: 99 }, source);
    expect(next.position).toBe(0);
    await next.close();
    const before = await opened(commandHistory, source);
    expect(before.position).toBe(0);
    await before.close();
  });

  it("halts when another process moves its checkpoint", async () => {
    const log = fleet();
    const source = new MemoryLogSource(log.events);
    const one = await opened(commandHistory, source);
    const two = await opened(commandHistory, source);
    await foldUntil(one, source, 3);
    await one.dump();
    await foldUntil(two, source, 5);
    await two.dump();
    expect(one.halted).toBeNull();
    expect(two.halted?.code).toBe("checkpoint-moved");
    await one.close();
    await two.close();
  });

  it("moves old finished commands to disk, finds them there, and still settles them", async () => {
    const few = { ...commandHistory, residentMax: 3 };
    const log = new LogBuilder();
    log.configured(testFleet());
    log.add("axis-x1", "MoveAccepted", accepted(1), { commandId: "old" });
    log.add("axis-x1", "CommandIndeterminate", { reason: "silent", frames: [] }, { commandId: "old" });
    for (let n = 0; n < 8; n++) log.move(`c${n}`, n);
    const source = new MemoryLogSource(log.events);
    const projector = await opened(few, source);
    await foldUntil(projector, source, log.events.length);
    await projector.dump();
    expect(projector.rows.size).toBe(3);
    expect((await projector.find("c0"))?.state).toBe("succeeded");
    const settled = log.add("axis-x1", "OutcomeSettled", { settled: "adopted" }, { commandId: "old" });
    await projector.handle([settled]);
    await projector.dump();
    expect(await projector.find("old")).toMatchObject({ settled: "adopted", state: "indeterminate" });
    expect(projector.rows.size).toBe(3);
    await projector.close();
  });
});
