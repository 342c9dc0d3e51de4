import { mkdtemp, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { FakeClock } from "@servofleet/runtime/fake-clock";
import { type SqliteConnection, SqliteDatabase, SqliteError, type SqliteOutcome } from "@servofleet/runtime/sqlite";
import { systemClock, systemRandom } from "@servofleet/runtime/system-clock";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { newEvent } from "./event-log.contract.ts";
import { type EventLog, LogError } from "./event-log.ts";
import { verifyLog } from "./log-verify.ts";
import { type EventLogOptions, openEventLog } from "./open-event-log.ts";

const LIMIT = { timeout: 60_000, interval: 2 };
let directory = "";
let log: EventLog;
let database: SqliteDatabase;
/** What the disk does with the next inserts: asked before each, may answer or throw in SQLite's place. */
let inTheWay: ((insert: () => Promise<SqliteOutcome>) => Promise<SqliteOutcome>) | undefined;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "faulty-disk-"));
  inTheWay = undefined;
});
afterEach(async () => {
  inTheWay = undefined;
  await log.close();
  await rm(directory, { recursive: true, force: true });
});

/** A real database whose inserts a test can come between. */
async function openWriter(file: string): Promise<SqliteConnection> {
  database = await SqliteDatabase.open(file);
  const real = database;
  return {
    run: (sql, params) => {
      const run = () => real.run(sql, params);
      return inTheWay && sql.includes("INSERT INTO events") ? inTheWay(run) : run();
    },
    all: (sql, params) => real.all(sql, params),
    get: (sql, params) => real.get(sql, params),
    exec: (sql) => real.exec(sql),
    batch: (statements) => real.batch(statements),
    close: () => real.close(),
  };
}
const options = (more: Partial<EventLogOptions> = {}): EventLogOptions => ({
  directory,
  clock: systemClock(),
  random: systemRandom(),
  box: "press_1",
  openWriter,
  ...more,
});
const fails = (code: `SQLITE_${string}`) => async () => {
  throw new SqliteError(code, {}, "injected");
};
const codeOf = (promise: Promise<unknown>) =>
  promise.then(
    () => "resolved",
    (error: unknown) => (error instanceof LogError ? error.code : String(error)),
  );
const append = (reason: string) => codeOf(log.append([newEvent("axis-a", reason)]));
const verified = () => verifyLog(join(directory, "events.db"), systemClock());

test.each(["SQLITE_IOERR", "SQLITE_CORRUPT", "SQLITE_NOTADB", "SQLITE_CONSTRAINT", "SQLITE_NOMEM"] as const)(
  "%s poisons the log: whoever waits is told, and nothing is ever written again",
  async (code) => {
    log = await openEventLog(options());
    await append("before");
    let inserts = 0;
    inTheWay = async () => {
      inserts += 1;
      return fails(code)();
    };
    const first = append("in the commit");
    await vi.waitFor(() => expect(inserts).toBe(1), LIMIT);
    expect(await first).toBe("log-poisoned");
    inTheWay = undefined;
    expect(await append("after")).toBe("log-poisoned");
    expect(log.trouble).toBe("log-poisoned");
    expect(await verified()).toMatchObject({ ok: true, events: 1 });
  },
);

test("a poison settles the calls that wait behind the failed commit, too", async () => {
  log = await openEventLog(options());
  inTheWay = fails("SQLITE_IOERR");
  const waiting = Array.from({ length: 1200 }, (_, i) => append(`r${i}`));
  expect(new Set(await Promise.all(waiting))).toEqual(new Set(["log-poisoned"]));
  expect(log.position).toBe(0);
});

test("a commit that reached the disk before the error is found after the restart by its id", async () => {
  log = await openEventLog(options());
  const id = "0d8f9f5e-3c43-4d0c-9c8e-6f6f5d1c0a11";
  inTheWay = async (insert) => {
    await insert();
    throw new SqliteError("SQLITE_IOERR", {}, "the fsync failed after the write");
  };
  expect(await codeOf(log.append([newEvent("axis-a", "once", { id })]))).toBe("log-poisoned");
  await log.close();
  inTheWay = undefined;
  log = await openEventLog(options());
  expect((await log.findById(id))?.position).toBe(1);
  expect(await codeOf(log.append([newEvent("axis-a", "once", { id })]))).toBe("duplicate-id");
});

test("a full disk refuses, keeps positions gap-free, and the log recovers by itself", async () => {
  log = await openEventLog(options({ reserveBytes: 0 }));
  await append("before");
  const pages = await database.get<{ page_count: number }>("PRAGMA page_count");
  await database.all(`PRAGMA max_page_count = ${pages?.page_count ?? 1}`);
  const big = () => codeOf(log.append(Array.from({ length: 60 }, () => newEvent("axis-a", "z".repeat(400)))));
  expect(await big()).toBe("log-full");
  expect(log.trouble).toBe("log-full");
  await database.all("PRAGMA max_page_count = 1000000");
  await vi.waitFor(() => expect(log.trouble).toBeNull(), LIMIT);
  expect(await big()).toBe("resolved");
  expect(await verified()).toMatchObject({ ok: true, events: 61 });
});

test("too little free space is trouble before the disk is full, and ends with some distance", async () => {
  const clock = new FakeClock();
  let free = 30;
  const freeSpace = async () => free;
  log = await openEventLog(options({ clock, freeSpace, reserveBytes: 20 }));
  const looksAt = async (bytes: number) => {
    free = bytes;
    await clock.advance(1000);
    return log.trouble;
  };
  expect(log.trouble).toBeNull();
  expect(await looksAt(19)).toBe("log-full");
  expect(await append("a stop is still written")).toBe("resolved");
  expect(await looksAt(29)).toBe("log-full");
  expect(await looksAt(30)).toBeNull();
});

test("a busy database is tried again and then refused without harm", async () => {
  log = await openEventLog(options());
  let inserts = 0;
  inTheWay = async (insert) => (++inserts < 3 ? fails("SQLITE_BUSY")() : insert());
  expect(await append("third time")).toBe("resolved");
  inTheWay = fails("SQLITE_BUSY");
  expect(await append("never")).toBe("log-busy");
  inTheWay = undefined;
  expect(await append("later")).toBe("resolved");
  expect(await verified()).toMatchObject({ ok: true, events: 2 });
});

test("a writer whose epoch was raised by another is fenced and poisons itself", async () => {
  log = await openEventLog(options());
  await append("mine");
  const other = await SqliteDatabase.open(join(directory, "events.db"));
  await other.run("UPDATE log_meta SET writer_epoch = writer_epoch + 1");
  await other.close();
  expect(await append("too late")).toBe("log-poisoned");
  expect(log.trouble).toBe("log-poisoned");
  expect(await verified()).toMatchObject({ ok: true, events: 1, epoch: 2 });
});

test("a second log in the same process and directory is refused and does no harm to the first", async () => {
  log = await openEventLog(options());
  await expect(openEventLog(options())).rejects.toMatchObject({ code: "log-in-use" });
  expect(await append("still mine")).toBe("resolved");
});

test("a disk that never answers does not keep the log from closing, and its callers are told", async () => {
  const clock = new FakeClock();
  log = await openEventLog(options({ clock, freeSpace: async () => Number.POSITIVE_INFINITY }));
  let answer: (outcome: SqliteOutcome) => void = () => undefined;
  let asked = false;
  inTheWay = () => {
    asked = true;
    return new Promise((resolve) => {
      answer = resolve;
    });
  };
  const stuck = append("never answered");
  await vi.waitFor(() => expect(asked).toBe(true), LIMIT);
  const closing = log.close();
  await vi.waitFor(async () => {
    await clock.advance(10_000);
    expect(await Promise.race([stuck, "pending"])).toBe("log-poisoned");
  }, LIMIT);
  await closing;
  answer({ changes: 0, lastId: 0 });
});

test("the write-ahead file is copied back and does not grow without bound", async () => {
  log = await openEventLog(options());
  const many = () => Array.from({ length: 500 }, () => newEvent("axis-a", "w".repeat(480)));
  for (let i = 0; i < 140; i++) await log.append(many());
  const sizes = await Promise.all(["events.db-wal", "events.db"].map((name) => stat(join(directory, name))));
  expect(sizes[0]?.size).toBeLessThan(72 * 1024 * 1024);
  expect(sizes[1]?.size).toBeGreaterThan(4 * 1024 * 1024);
});
