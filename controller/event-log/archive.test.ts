import { mkdtemp, readdir, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { LogReader } from "@servofleet/runtime/log-reader";
import { SqliteDatabase } from "@servofleet/runtime/sqlite";
import { systemClock, systemRandom } from "@servofleet/runtime/system-clock";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { SealStep } from "./archive-file.ts";
import { isArchiveDue, KEY_DAYS, LOG_RETENTION, nextArchive } from "./archive-plan.ts";
import { newEvent } from "./event-log.contract.ts";
import { verifyLog } from "./log-verify.ts";
import { openEventLog } from "./open-event-log.ts";

const clock = systemClock();
const retention = { keepDays: 0, keepEvents: 0, archiveEvents: 500 };
const EVENTS = 3700;
const COMMAND = "0199aaaa-0000-7000-8000-000000000001";
let directory = "";
let file = "";
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "log-archive-"));
  file = join(directory, "events.db");
});
afterEach(() => rm(directory, { recursive: true, force: true }));

const opened = (onSealStep?: (step: SealStep) => void) =>
  openEventLog({
    directory,
    clock,
    random: systemRandom(),
    box: "press_1",
    retention,
    ...(onSealStep ? { onSealStep } : {}),
  });

/** Enough for three archives; one command lies over the first border, one stream has nothing but its beginning. */
async function filled(onSealStep?: (step: SealStep) => void) {
  const log = await opened(onSealStep);
  await log.append([newEvent("axis-early", "only here")]);
  for (let from = 1; from < EVENTS; from += 100)
    await log.append(
      Array.from({ length: Math.min(100, EVENTS - from) }, (_, i) => {
        const position = from + i + 1;
        const command =
          position === 499 ? { id: COMMAND, commandId: COMMAND } : position === 502 ? { commandId: COMMAND } : {};
        return newEvent(position % 2 ? "axis-a" : "axis-b", `r${position}`, command);
      }),
    );
  return log;
}
const positionsOf = async (reader: LogReader): Promise<number[]> => {
  const positions: number[] = [];
  for (;;) {
    const page = await reader.readAfter(positions.at(-1) ?? 0, 777);
    if (page.length === 0) return positions;
    positions.push(...page.map(({ position }) => position));
  }
};
const hotCount = async () => {
  const database = await SqliteDatabase.open(file, { readOnly: true });
  const row = await database.get<{ n: number }>("SELECT count(*) AS n FROM events");
  await database.close();
  return row?.n;
};
const allPositions = Array.from({ length: EVENTS }, (_, i) => i + 1);

test("sealed events leave the hot file and are read as before: by position, stream, command and time", async () => {
  const log = await filled();
  const before = await log.read(990, 20);
  await log.archive();
  expect(await hotCount()).toBe(EVENTS - 1500);
  expect(await log.read(990, 20)).toEqual(before);
  expect((await log.readCommand(COMMAND)).map(({ position }) => position)).toEqual([499, 502]);
  expect((await log.readStream("axis-a", 248, 5)).map(({ version }) => version)).toEqual([249, 250, 251, 252, 253]);
  const reader = await LogReader.open({ file, clock });
  if (!reader) throw new Error("there is a log");
  expect(await positionsOf(reader)).toEqual(allPositions);
  const [at700] = await reader.readAfter(699, 1);
  expect(await reader.positionAtWall(at700?.wallUs ?? 0)).toBeGreaterThanOrEqual(700);
  expect(await reader.positionAtWall((at700?.wallUs ?? 0) - 1)).toBeLessThan(700);
  await reader.close();
  await log.close();
  expect(await verifyLog(file, clock)).toMatchObject({ ok: true, events: EVENTS, archives: 3, signedThrough: EVENTS });
});

test("a stream whose events are all archived goes on counting where it was", async () => {
  const first = await filled();
  await first.archive();
  await first.close();
  const log = await opened();
  const [event] = await log.append([newEvent("axis-early", "again")]);
  expect(event).toMatchObject({ version: 2, position: EVENTS + 1 });
  await log.close();
  expect(await verifyLog(file, clock)).toMatchObject({ ok: true, signedThrough: EVENTS + 1 });
});

test("a follower that is behind the border misses nothing while rows are moved", async () => {
  const log = await filled();
  const reader = await LogReader.open({ file, clock });
  if (!reader) throw new Error("there is a log");
  const seen: number[] = [];
  const stop = new AbortController();
  const following = reader.follow(
    0,
    async (events) => {
      if (seen.length === 0) await log.archive();
      seen.push(...events.map(({ position }) => position));
      if (seen.length >= EVENTS) stop.abort();
    },
    stop.signal,
  );
  await following;
  expect(seen).toEqual(allPositions);
  await reader.close();
  await log.close();
});

describe("a process that ends while it seals loses nothing, after:", () => {
  const steps: readonly SealStep[] = [
    "copied",
    "checked",
    "file-named",
    "manifest-named",
    "listed",
    "some-deleted",
    "deleted",
  ];
  test.each(steps)("%s", async (last) => {
    const log = await filled((step) => {
      if (step === last) throw new Error("ends here");
    });
    await expect(log.archive()).rejects.toThrow("ends here");
    await log.close();
    expect(await verifyLog(file, clock)).toMatchObject({ ok: true, events: EVENTS });
    const again = await opened();
    await again.archive();
    await again.close();
    expect(await hotCount()).toBe(EVENTS - 1500);
    expect(await verifyLog(file, clock)).toMatchObject({ ok: true, events: EVENTS, archives: 3 });
    expect((await readdir(join(directory, "archive"))).filter((name) => name.endsWith(".partial"))).toEqual([]);
  });
});

test("nothing is sealed while the disk is full, and no row leaves", async () => {
  const log = await filled();
  await log.close();
  const full = await openEventLog({
    ...{ directory, clock, random: systemRandom(), box: "press_1", retention },
    freeSpace: async () => 0,
  });
  expect(full.trouble).toBe("log-full");
  await full.archive();
  await full.close();
  expect(await hotCount()).toBe(EVENTS);
});

describe("archives that were touched are found:", () => {
  const first = () => join(directory, "archive", "events-000000000001-000000000500.db");
  const touched = async (sql: string) => {
    const database = await SqliteDatabase.open(first());
    await database.exec(sql);
    await database.close();
  };
  beforeEach(async () => {
    const log = await filled();
    await log.archive();
    await log.close();
    expect((await stat(first())).mode & 0o222).toBe(0);
  });

  test("a changed row is altered at its position", async () => {
    await touched("DROP TRIGGER events_never_change; UPDATE events SET actor = 'me' WHERE position = 77");
    expect(await verifyLog(file, clock)).toMatchObject({ firstBad: { flaw: "altered", position: 77 } });
  });
  test("a file that is another one although its rows fit", async () => {
    await touched("CREATE TABLE more(x)");
    expect(await verifyLog(file, clock)).toMatchObject({ firstBad: { flaw: "altered", position: 1, until: 500 } });
  });
  test("a missing manifest", async () => {
    await rm(`${first()}.json`);
    expect(await verifyLog(file, clock)).toMatchObject({ firstBad: { flaw: "forged", position: 1 } });
  });
  test("a missing file, to verify and to readers", async () => {
    await rm(first());
    expect(await verifyLog(file, clock)).toMatchObject({ firstBad: { flaw: "damaged", position: 1, until: 500 } });
    const reader = await LogReader.open({ file, clock });
    await expect(reader?.readAfter(0, 10)).rejects.toMatchObject({ code: "archive-missing" });
    expect((await reader?.readAfter(1500, 10))?.length).toBe(10);
    await reader?.close();
  });
});

test("what is due goes by age and by number, and a key's days are kept before both", () => {
  const day = 86_400e6;
  const hot = { first: 1, newest: 2_000_000 };
  expect(nextArchive({ first: 1, newest: 101_000 }, LOG_RETENTION)).toBeUndefined();
  expect(nextArchive({ first: 1, newest: 102_000 }, LOG_RETENTION)).toEqual({ first: 1, last: 100_000 });
  expect(isArchiveDue(hot, 0, (KEY_DAYS - 1) * day, LOG_RETENTION)).toBe(false);
  expect(isArchiveDue(hot, 0, KEY_DAYS * day, LOG_RETENTION)).toBe(true);
  expect(isArchiveDue({ first: 1, newest: 500_000 }, 0, 29 * day, LOG_RETENTION)).toBe(false);
  expect(isArchiveDue({ first: 1, newest: 500_000 }, 0, 30 * day, LOG_RETENTION)).toBe(true);
});
