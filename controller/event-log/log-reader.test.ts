import { mkdtemp, rename, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { RecordedEvent } from "@servofleet/contracts";
import type { Clock } from "@servofleet/runtime/clock";
import { LOOK, type LogReader, openLogReader } from "@servofleet/runtime/log-reader";
import { SqliteDatabase } from "@servofleet/runtime/sqlite";
import { systemClock, systemRandom } from "@servofleet/runtime/system-clock";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { newEvent } from "./event-log.contract.ts";
import type { EventLog, NewEvent } from "./event-log.ts";
import { openEventLog } from "./open-event-log.ts";

const clock = systemClock();
const random = systemRandom();
const LIMIT = { timeout: 60_000, interval: 2 };
let directory = "";
const closing: (() => Promise<void>)[] = [];
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "log-reader-"));
});
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
  await rm(directory, { recursive: true, force: true });
});

async function writer(wall: Clock = clock, where = directory): Promise<EventLog> {
  const log = await openEventLog({ directory: where, clock: wall, random, box: "press_1" });
  closing.push(() => log.close());
  return log;
}
async function reader(): Promise<LogReader> {
  const opened = await openLogReader({ file: join(directory, "events.db"), clock });
  closing.push(() => opened.close());
  return opened;
}
/** Follows from `after` into a list until the test ends. */
function followed(log: LogReader, after = 0) {
  const events: RecordedEvent[] = [];
  const stop = new AbortController();
  const done = log.follow(after, (batch) => void events.push(...batch), stop.signal);
  done.catch(() => undefined);
  closing.push(async () => {
    stop.abort();
    await done.catch(() => undefined);
  });
  return { events, done };
}
const appendAll = async (log: EventLog, count: number) => {
  for (let i = 0; i < count; i++) await log.append([newEvent("axis-a", `r${i}`)]);
};

test("a reader that starts before the log exists gets every event once it does", async () => {
  const early = reader();
  const log = await writer();
  const { events } = followed(await early);
  await appendAll(log, 20);
  await vi.waitFor(() => expect(events.length).toBe(20), LIMIT);
  expect(events).toEqual(await log.read(0, 100));
});

test("a follower gets a long log in pages and then what is written meanwhile, each event once", async () => {
  const log = await writer();
  await log.append(Array.from({ length: 2500 }, (_, i) => newEvent("axis-a", `old${i}`)));
  const { events } = followed(await reader(), 100);
  await appendAll(log, 5);
  await vi.waitFor(() => expect(events.at(-1)?.position).toBe(2505), LIMIT);
  expect(events.map(({ position }) => position)).toEqual(Array.from({ length: 2405 }, (_, i) => i + 101));
});

test("a log that ends before the follower's checkpoint is refused", async () => {
  const log = await writer();
  await appendAll(log, 3);
  const { done } = followed(await reader(), 4);
  await expect(done).rejects.toMatchObject({ code: "log-shorter", facts: { newest: 3, after: 4 } });
});

test("another log put in the file's place is noticed", async () => {
  const log = await writer();
  await appendAll(log, 1);
  const other = join(directory, "other");
  const restored = await writer(clock, other);
  await appendAll(restored, 1);
  await restored.close();
  const { done, events } = followed(await reader());
  await vi.waitFor(() => expect(events.length).toBe(1), LIMIT);
  await rename(join(other, "events.db"), join(directory, "events.db"));
  await expect(done).rejects.toMatchObject({ code: "log-replaced" });
});

test("a handler that throws ends the following with its error", async () => {
  const log = await writer();
  await appendAll(log, 1);
  const failure = new Error("projection failed");
  const following = (await reader()).follow(
    0,
    () => {
      throw failure;
    },
    new AbortController().signal,
  );
  await expect(following).rejects.toBe(failure);
});

test("a reader can open and read a log whose writer has gone", async () => {
  const log = await writer();
  await appendAll(log, 3);
  await log.close();
  const log2 = await reader();
  expect(await log2.newestPosition()).toBe(3);
  expect(log2.logId).toBe(log.logId);
});

test("the epoch follows each new writer", async () => {
  const first = await writer();
  const log = await reader();
  followed(log);
  expect(log.epoch).toBe(1);
  await first.close();
  await writer();
  await vi.waitFor(() => expect(log.epoch).toBe(2), LIMIT);
});

test("the position at a wall time is the highest not after it, also where the clock was set back", async () => {
  let nowUs = 1000;
  const log = await writer({ ...clock, wallUs: () => nowUs });
  const at = async (wallUs: number, event: NewEvent) => {
    nowUs = wallUs;
    await log.append([event]);
  };
  const stepped = (fromUs: number, toUs: number): NewEvent => ({
    stream: "box-press_1",
    event: { type: "ClockStepped", data: { fromUs, toUs } },
  });
  await at(1000, newEvent("axis-a", "1"));
  await at(2000, newEvent("axis-a", "2"));
  await at(3000, newEvent("axis-a", "3"));
  await at(500, newEvent("axis-a", "4, the step is not noticed yet"));
  await at(600, stepped(3000, 600));
  await at(1500, newEvent("axis-a", "6"));
  await at(1499, newEvent("axis-a", "7, slewed"));
  await at(5000, newEvent("axis-a", "8"));
  const log2 = await reader();
  const found = async (wallUs: number) => await log2.positionAtWall(wallUs);
  expect(await Promise.all([499, 500, 599, 600, 1498, 1499, 1500, 4999, 5000, 9e15].map(found))).toEqual([
    0, 4, 4, 5, 5, 7, 7, 7, 8, 8,
  ]);
});

test("a look goes on from its position by the key, and neither walks nor sorts what is there", async () => {
  await writer();
  const database = await SqliteDatabase.open(join(directory, "events.db"), { readOnly: true });
  closing.push(() => database.close());
  const plan = await database.all<{ detail: string }>(`EXPLAIN QUERY PLAN ${LOOK}`, [5, 10]);
  expect(plan.map(({ detail }) => detail)).toEqual([
    "SEARCH events USING INTEGER PRIMARY KEY (rowid>?)",
    "SCAN log_meta",
  ]);
});
