import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
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
  await database.exec(`DROP TRIGGER events_never_change; DROP TRIGGER events_never_go; ${sql}`);
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

const SWAP = `UPDATE events SET position = -1 WHERE position = 700; UPDATE events SET position = 700 WHERE position = 702;
  UPDATE events SET position = 702 WHERE position = -1`;
const PUT_IN = `DELETE FROM events WHERE position = 700;
  INSERT INTO events SELECT 700, stream, version + 5000, 'x', type, schema, wall_us, mono_ns, boot, epoch, command_id,
    correlation, causation, actor, trace, data, hash FROM events WHERE position = 10`;
describe("the first bad position is found and its kind said:", () => {
  test.each([
    ["changed data", "UPDATE events SET data = '{}' WHERE position = 700", 700, "altered"],
    ["a changed time of the newest row", "UPDATE events SET wall_us = 5 WHERE position = 1500", 1500, "altered"],
    ["a deleted row", "DELETE FROM events WHERE position = 700", 700, "deleted"],
    ["a deleted beginning", "DELETE FROM events WHERE position < 10", 1, "deleted"],
    ["a cut end", "DELETE FROM events WHERE position > 1400", 1401, "deleted"],
    ["two rows exchanged", SWAP, 700, "inserted-or-reordered"],
    ["a row put in another's place", PUT_IN, 700, "inserted-or-reordered"],
    ["another log's id", "UPDATE log_meta SET log_id = 'other'", 1, "altered"],
  ])("%s", async (_name, sql, position, flaw) => {
    await tamper(sql);
    expect(await verifyLog(file, clock)).toMatchObject({ ok: false, firstBad: { position, flaw } });
  });
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
