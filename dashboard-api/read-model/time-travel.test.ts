import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { FakeClock } from "@servofleet/runtime/fake-clock";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { pageByRank } from "../http/row-list.ts";
import { alarmHistory } from "../projections/alarm-history.ts";
import { axisBoard } from "../projections/axis-board.ts";
import { commandHistory } from "../projections/command-history.ts";
import { MemoryLogSource } from "../testing/memory-log-source.ts";
import { anyLog } from "../testing/random-log.ts";
import { LogBuilder, testFleet } from "../testing/recorded-events.ts";
import { canonicalDump } from "./canonical-dump.ts";
import type { Projection } from "./projection.ts";
import { foldUntil, Projector } from "./projector.ts";
import { SqliteViewStore } from "./sqlite-view-store.ts";
import { type StoreOf, TimeTravel } from "./time-travel.ts";

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "servofleet-past-"));
});
afterEach(() => rm(directory, { recursive: true, force: true }));

const clock = new FakeClock();
const FEW = 2;
const HISTORIES = [
  { ...alarmHistory, residentMax: FEW },
  { ...commandHistory, residentMax: FEW },
] as unknown as Projection<unknown>[];

/** A projector with a file, snapshots every few events, fed in batches until the end of the log. */
async function live(
  projection: Projection<unknown>,
  log: MemoryLogSource,
  steps: { batch: number; snapshot: number; until: number },
) {
  const store = await SqliteViewStore.open(directory, projection);
  const projector = new Projector(projection, log.logId, clock, store, steps.snapshot);
  await projector.open(log);
  while (projector.position < steps.until)
    await foldUntil(projector, log, Math.min(projector.position + steps.batch, steps.until));
  await projector.dump();
  return { projector, storeOf: (() => store) as unknown as StoreOf };
}

/** Every row of a history, page by page, as a client reads it. */
async function pagedDump(projector: Projector<unknown>): Promise<string> {
  const rows: unknown[] = [];
  let cursor: string | null = null;
  do {
    const query: { limit: number; cursor?: string } = cursor === null ? { limit: 3 } : { limit: 3, cursor };
    const page: { rows: readonly unknown[]; nextCursor: string | null } = await pageByRank(projector, query, {
      matches: () => true,
      where: {},
    });
    rows.push(...page.rows);
    cursor = page.nextCursor;
  } while (cursor !== null);
  return canonicalDump(rows.map((row) => [String(projector.projection.rank(row)), row]));
}

describe("the past", () => {
  it("from a snapshot is what a fold of the whole log gives, for every list, row and position", async () => {
    await fc.assert(
      fc.asyncProperty(
        anyLog,
        fc.integer({ min: 1, max: 12 }),
        fc.integer({ min: 2, max: 9 }),
        async (built, batch, snapshot) => {
          const log = new MemoryLogSource(built.events);
          const until = built.events.length;
          for (const projection of HISTORIES) {
            const { projector, storeOf } = await live(projection, log, { batch, snapshot, until });
            const past = new TimeTravel(log, clock, storeOf);
            for (let position = 1; position <= until; position += 3) {
              const plain = new Projector(projection, log.logId, clock);
              await foldUntil(plain, log, position);
              const view = await past.view(projection, position);
              expect(view).toMatchObject({ position, wallUs: built.events[position - 1]?.wallUs });
              expect(await pagedDump(view.projector)).toBe(await pagedDump(plain));
              for (const [key, row] of plain.rows.entries()) expect(await view.projector.find(key)).toEqual(row);
            }
            await projector.close();
            await rm(join(directory, `${projection.name}.v${projection.version}.db`));
          }
        },
      ),
      { numRuns: 12 },
    );
  });

  it("reads no more of the log than the stretch after the nearest snapshot, however long the log is", async () => {
    const built = new LogBuilder();
    built.configured(testFleet());
    for (let n = 0; n < 300; n++) built.move(`c${n}`, n);
    const log = new MemoryLogSource(built.events);
    const { projector, storeOf } = await live(axisBoard as unknown as Projection<unknown>, log, {
      batch: 500,
      snapshot: 100,
      until: built.events.length,
    });
    const reads: number[] = [];
    const { readAfter } = log;
    log.readAfter = (position, limit) => {
      reads.push(position);
      return readAfter(position, limit);
    };
    const { position } = await new TimeTravel(log, clock, storeOf).view(axisBoard, 1234);
    expect(position).toBe(1234);
    expect(Math.min(...reads)).toBe(1200);
    await projector.close();
  });

  it("keeps a settled row as it was when a later event changes it once more", async () => {
    const built = new LogBuilder();
    built.configured(testFleet());
    const raised = built.add("link-line_a", "LinkWentDown", { reason: "unplugged" });
    built.add("link-line_a", "LinkWentUp", {});
    for (let n = 0; n < 5; n++) built.state({ position: n });
    const quiet = built.events.length;
    built.add("box-press_line_1", "AlarmAcknowledged", { alarm: raised.id, principal: "local" });
    const log = new MemoryLogSource(built.events);
    const { projector, storeOf } = await live(HISTORIES[0] as Projection<unknown>, log, {
      batch: 500,
      snapshot: 4,
      until: built.events.length,
    });
    const past = new TimeTravel(log, clock, storeOf);
    const before = await past.view(alarmHistory, quiet);
    expect(await before.projector.find(raised.id)).toMatchObject({ acknowledgedBy: null });
    expect(await pageByRank(before.projector, {}, { matches: () => true, where: {} })).toMatchObject({
      rows: [{ id: raised.id, acknowledgedBy: null }],
      nextCursor: null,
    });
    const after = await past.view(alarmHistory, quiet + 1);
    expect(await after.projector.find(raised.id)).toMatchObject({ acknowledgedBy: "local" });
    await projector.close();
  });
});
