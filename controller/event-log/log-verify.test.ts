import { chmod, mkdtemp, readFile, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { canonicalRow, chainHash, LOG_COLUMNS, type LogRow } from "@servofleet/runtime/log-schema";
import { SqliteDatabase } from "@servofleet/runtime/sqlite";
import { systemClock, systemRandom } from "@servofleet/runtime/system-clock";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { newEvent } from "./event-log.contract.ts";
import { verifyLog } from "./log-verify.ts";
import { openEventLog } from "./open-event-log.ts";

const clock = systemClock();
let directory = "";
let file = "";
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "log-verify-"));
  file = join(directory, "events.db");
  const log = await openEventLog({ directory, clock, random: systemRandom(), box: "press_1" });
  await log.append(Array.from({ length: 1500 }, (_, i) => newEvent(i % 2 ? "axis-a" : "axis-b", `r${i}`)));
  await log.close();
});
afterEach(() => rm(directory, { recursive: true, force: true }));

/** What somebody with access to the file could do. */
async function tamper(sql: string): Promise<void> {
  const database = await SqliteDatabase.open(file);
  await database.exec(`DROP TRIGGER IF EXISTS events_never_change; DROP TRIGGER IF EXISTS events_never_go; ${sql}`);
  await database.close();
}
const reopened = () => openEventLog({ directory, clock, random: systemRandom(), box: "press_1" });

test("an untouched log is good from the first to the last row, also beside its running writer", async () => {
  const log = await reopened();
  const appending = log.append([newEvent("axis-a", "meanwhile")]);
  expect(await verifyLog(file, clock)).toMatchObject({ ok: true, firstBad: null, epoch: 2, logId: log.logId });
  await appending;
  expect(await verifyLog(file, clock)).toMatchObject({ ok: true, events: 1501, newestPosition: 1501 });
  await log.close();
});

test("rows cannot be changed or deleted by a plain statement", async () => {
  const database = await SqliteDatabase.open(file);
  await expect(database.run("UPDATE events SET actor = 'me' WHERE position = 1")).rejects.toThrow(/never changed/);
  await expect(database.run("DELETE FROM events WHERE position = 1500")).rejects.toThrow(/never deleted/);
  await database.close();
});

const SWAP = (a: number, b: number) => `UPDATE events SET position = -1 WHERE position = ${a};
  UPDATE events SET position = ${a} WHERE position = ${b}; UPDATE events SET position = ${b} WHERE position = -1`;
/** Moves everything from `from` on by `by`, and what was counted with it. */
const SHIFT = (from: number, by: number) => `UPDATE events SET position = -position WHERE position >= ${from};
  UPDATE events SET position = -position + ${by} WHERE position < 0;
  UPDATE sqlite_sequence SET seq = seq + ${by} WHERE name = 'events'`;
const COPY_TO = (
  position: number,
) => `INSERT INTO events SELECT ${position}, stream, version + 5000, 'x', type, schema, wall_us,
  mono_ns, boot, epoch, command_id, correlation, causation, actor, trace, data, hash FROM events WHERE position = 10`;
const FORGET_END = `DELETE FROM events WHERE position > 1400; UPDATE sqlite_sequence SET seq = 1400 WHERE name = 'events'`;
const RENAME = "UPDATE log_meta SET log_id = 'other'; UPDATE log_lineage SET log_id = 'other'";

/** The chain made anew from `from` on, as somebody who knows how it is made would do it. */
async function rewrite(from: number, sql: string): Promise<void> {
  await tamper(sql);
  const database = await SqliteDatabase.open(file);
  const rows = await database.all<LogRow>(`SELECT ${LOG_COLUMNS} FROM events WHERE events.position >= ${from - 1}`);
  let hash = rows.shift()?.hash ?? "";
  const statements = rows.map((row) => {
    hash = chainHash(hash, canonicalRow(row));
    return { sql: "UPDATE events SET hash = unhex(?1) WHERE position = ?2", params: [hash, row.position] };
  });
  await database.batch(statements);
  await database.close();
}

describe("six kinds of tampering are told apart, with the first bad position:", () => {
  test.each([
    ["changed data", "UPDATE events SET data = '{}' WHERE position = 700", 700, "altered"],
    ["a changed time of the newest row", "UPDATE events SET wall_us = 5 WHERE position = 1500", 1500, "altered"],
    ["a changed hash", "UPDATE events SET hash = zeroblob(32) WHERE position = 700", 700, "altered"],
    [
      "a row exchanged for one of somebody's own",
      `DELETE FROM events WHERE position = 700; ${COPY_TO(700)}`,
      700,
      "altered",
    ],
    ["the id of another log", RENAME, 1, "altered"],
    ["a deleted row", "DELETE FROM events WHERE position = 700", 700, "deleted"],
    ["a deleted beginning", "DELETE FROM events WHERE position < 10", 1, "deleted"],
    [
      "deleted rows and the rest numbered anew",
      `DELETE FROM events WHERE position BETWEEN 700 AND 703; ${SHIFT(704, -4)}`,
      700,
      "deleted",
    ],
    ["a row put in between", `${SHIFT(700, 1)}; ${COPY_TO(700)}`, 700, "inserted"],
    ["two rows exchanged", SWAP(700, 702), 700, "reordered"],
    ["two neighbours exchanged", SWAP(700, 701), 700, "reordered"],
    ["a row moved to a far place", SWAP(700, 1450), 700, "reordered"],
    ["a cut end", "DELETE FROM events WHERE position > 1400", 1401, "truncated"],
    ["a cut end, and nothing left that counted it but the signature", FORGET_END, 1401, "truncated"],
  ])("%s", async (_name, sql, position, flaw) => {
    await tamper(sql);
    expect(await verifyLog(file, clock)).toMatchObject({ ok: false, firstBad: { position, flaw } });
  });

  test("a chain made anew, where every hash fits", async () => {
    await rewrite(700, "UPDATE events SET actor = 'nobody' WHERE position = 700");
    expect(await verifyLog(file, clock)).toMatchObject({ firstBad: { flaw: "rewritten", position: 1, until: 1500 } });
  });
});

test("a rewritten chain is narrowed down to what lies between two checkpoints", async () => {
  const log = await openEventLog({
    directory,
    clock,
    random: systemRandom(),
    box: "press_1",
    cadence: { events: 100, ms: 1e6 },
  });
  for (let i = 0; i < 5; i++) await log.append(Array.from({ length: 100 }, () => newEvent("axis-a", "more")));
  await log.close();
  await rewrite(1750, "UPDATE events SET actor = 'nobody' WHERE position = 1750");
  expect(await verifyLog(file, clock)).toMatchObject({ firstBad: { flaw: "rewritten", position: 1701, until: 1800 } });
});

describe("checkpoints are trusted by their key alone:", () => {
  const forge = (sql: string) =>
    tamper(`DROP TRIGGER checkpoints_never_change; DROP TRIGGER checkpoints_never_go; ${sql}`);

  test("a checkpoint that was changed", async () => {
    await forge("UPDATE log_checkpoints SET wall_us = wall_us + 1");
    expect(await verifyLog(file, clock)).toMatchObject({ firstBad: { flaw: "forged", until: 1500 } });
  });

  test("a log that somebody signed again with a key of their own", async () => {
    const trusted = await readFile(join(directory, "log.pub"), "utf8");
    await rewrite(700, "UPDATE events SET actor = 'nobody' WHERE position = 700");
    await forge("DELETE FROM log_checkpoints");
    await rm(join(directory, "log.key"));
    await rm(join(directory, "log.pub"));
    await (await reopened()).close();
    expect(await verifyLog(file, clock)).toMatchObject({ ok: true });
    const found = await verifyLog(file, clock, { publicKeys: trusted });
    expect(found.firstBad).toMatchObject({ flaw: "forged", detail: expect.stringContaining("unknown key") });
  });

  test("a cut end whose checkpoints were cut with it is seen by a witness that was kept elsewhere", async () => {
    const { newestCheckpoint } = await verifyLog(file, clock);
    const witnesses = newestCheckpoint ? [newestCheckpoint] : [];
    expect(await verifyLog(file, clock, { witnesses })).toMatchObject({ ok: true, signedThrough: 1500 });
    await forge(`DELETE FROM log_checkpoints; ${FORGET_END}`);
    expect(await verifyLog(file, clock)).toMatchObject({ ok: true, signedThrough: 0 });
    expect(await verifyLog(file, clock, { witnesses })).toMatchObject({
      firstBad: { flaw: "truncated", position: 1401 },
    });
  });

  test("a key that was lost: the next one signs on, and the old one's word still counts", async () => {
    await rm(join(directory, "log.key"));
    const log = await reopened();
    await log.append([newEvent("axis-a", "more")]);
    await log.close();
    expect(await verifyLog(file, clock)).toMatchObject({ ok: true, signedThrough: 1501 });
    expect((await readFile(join(directory, "log.pub"), "utf8")).match(/BEGIN/g)).toHaveLength(2);
  });

  test("a key that others may read is refused", async () => {
    expect((await stat(join(directory, "log.key"))).mode & 0o777).toBe(0o600);
    await chmod(join(directory, "log.key"), 0o644);
    await expect(reopened()).rejects.toMatchObject({ code: "log-unfit" });
  });
});

test("a log of the first format is lifted without touching a row", async () => {
  await tamper(`DROP TABLE log_lineage; DROP TABLE log_checkpoints; DROP TABLE log_archives; DROP TABLE log_streams;
    UPDATE log_meta SET format = 1; CREATE TRIGGER events_never_go BEFORE DELETE ON events BEGIN SELECT RAISE(ABORT, 'no'); END`);
  const before = await verifyLog(file, clock);
  expect(before).toMatchObject({ ok: true, events: 1500, signedThrough: 0 });
  const log = await reopened();
  await log.close();
  expect(await verifyLog(file, clock)).toMatchObject({ ok: true, headHash: before.headHash, signedThrough: 1500 });
});

test("a writer does not start on a log whose end was touched", async () => {
  await tamper("UPDATE events SET data = '{}' WHERE position = 1499");
  await expect(reopened()).rejects.toMatchObject({ code: "log-damaged", facts: { position: 1499 } });
});

test("a writer does not start on a log whose end was cut", async () => {
  await tamper("DELETE FROM events WHERE position > 1400");
  await expect(reopened()).rejects.toMatchObject({ code: "log-damaged" });
});

test("a log of a newer format is refused in words", async () => {
  await tamper("UPDATE log_meta SET format = 3");
  await expect(reopened()).rejects.toMatchObject({ code: "log-format", facts: { format: 3, known: 2 } });
  await expect(verifyLog(file, clock)).rejects.toMatchObject({ code: "log-format" });
});
