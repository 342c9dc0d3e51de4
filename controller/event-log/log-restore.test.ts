import { mkdtemp, readFile, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { LogReader } from "@servofleet/runtime/log-reader";
import { SqliteDatabase } from "@servofleet/runtime/sqlite";
import { systemClock, systemRandom } from "@servofleet/runtime/system-clock";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { newEvent } from "./event-log.contract.ts";
import { backUpLog } from "./log-backup.ts";
import { exportedEvents } from "./log-export.ts";
import { type RestoreOptions, restoreLog } from "./log-restore.ts";
import { verifyLog } from "./log-verify.ts";
import { openEventLog } from "./open-event-log.ts";

const clock = systemClock();
const random = systemRandom();
const retention = { keepDays: 0, keepEvents: 0, archiveEvents: 500 };
let root = "";
let data = "";
let file = "";
let backup = "";
const opened = (directory = data) => openEventLog({ directory, clock, random, box: "press_1", retention });
const many = (from: number, count: number) =>
  Array.from({ length: count }, (_, i) => newEvent("axis-a", `r${from + i}`));
const restored = (more: Partial<RestoreOptions> = {}) =>
  restoreLog({ backup, directory: data, replace: true, clock, random, ...more });

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "log-restore-"));
  data = join(root, "data");
  file = join(data, "events.db");
  backup = join(root, "backup");
  const log = await opened();
  for (let from = 0; from < 2700; from += 300) await log.append(many(from, 300));
  await log.archive();
  await backUpLog(file, backup, clock);
  await log.append(many(2700, 50));
  await log.close();
});
afterEach(() => rm(root, { recursive: true, force: true }));

test("a backup made beside a running writer verifies, archives included, and holds no private key", async () => {
  expect(await verifyLog(join(backup, "events.db"), clock)).toMatchObject({ ok: true, events: 2700, archives: 1 });
  await expect(stat(join(backup, "log.key"))).rejects.toThrow();
  await expect(backUpLog(file, backup, clock)).rejects.toMatchObject({ code: "taken" });
});

test("a restored log goes on under a new id and a higher epoch, and its chain verifies from its beginning", async () => {
  const before = await verifyLog(file, clock);
  const { logId, movedTo } = await restored();
  expect(logId).not.toBe(before.logId);
  const log = await opened();
  expect(log).toMatchObject({ logId, position: 2700 });
  expect(log.epoch).toBeGreaterThan(before.epoch ?? 0);
  await log.append(many(9000, 10));
  await log.close();
  expect(await verifyLog(file, clock)).toMatchObject({ ok: true, events: 2710, logId, signedThrough: 2710 });
  expect(
    await verifyLog(join(movedTo ?? "", "events.db"), clock, {
      publicKeys: await readFile(join(data, "log.pub"), "utf8"),
    }),
  ).toMatchObject({ ok: true, events: 2750 });
});

test("a follower of the former log is told that it was replaced", async () => {
  const reader = await LogReader.open({ file, clock });
  const stop = new AbortController();
  const following = reader?.follow(0, () => undefined, stop.signal);
  const refused = expect(following).rejects.toMatchObject({ code: "log-replaced" });
  await restored();
  await refused;
  await reader?.close();
});

test("a box that never had the log takes a backup, too, and signs on with a key of its own", async () => {
  const other = join(root, "other");
  await restored({ directory: other, replace: false });
  const log = await opened(other);
  await log.append(many(9000, 10));
  await log.close();
  expect(await verifyLog(join(other, "events.db"), clock)).toMatchObject({
    ok: true,
    events: 2710,
    signedThrough: 2710,
  });
});

describe("what must not be restored is refused, and the log stays as it was:", () => {
  afterEach(async () => expect(await verifyLog(file, clock)).toMatchObject({ ok: true, events: 2750 }));

  test("over a log that stands there", () =>
    expect(restored({ replace: false })).rejects.toMatchObject({ code: "taken" }));
  test("under a running controller", async () => {
    const log = await opened();
    await expect(restored()).rejects.toMatchObject({ code: "in-use" });
    await log.close();
  });
  test("a backup that was touched", async () => {
    const database = await SqliteDatabase.open(join(backup, "events.db"));
    await database.exec("DROP TRIGGER events_never_change; UPDATE events SET actor = 'me' WHERE position = 700");
    await database.close();
    await expect(restored()).rejects.toMatchObject({ code: "not-good", facts: { flaw: "altered", position: 700 } });
  });
  test("a backup that was never finished", async () => {
    await rm(join(backup, "backup.json"));
    await expect(restored()).rejects.toMatchObject({ code: "no-log" });
  });
});

test.each(["staged", "moved-aside", "archives-placed", "placed"] as const)(
  "an end after the step %s begins no new log, and the restore can be run again",
  async (last) => {
    const onStep = (step: string) => {
      if (step === last) throw new Error("ends here");
    };
    await expect(restored({ onStep })).rejects.toThrow("ends here");
    if (last !== "staged") await expect(opened()).rejects.toMatchObject({ code: "log-restoring" });
    await restored();
    expect(await verifyLog(file, clock)).toMatchObject({ ok: true, events: 2700 });
    await (await opened()).close();
  },
);

test("an export has every event of the range once, in order, as a CloudEvent", async () => {
  const reader = await LogReader.open({ file, clock });
  if (!reader) throw new Error("there is a log");
  const lines = [];
  for await (const event of exportedEvents(reader, { after: 495, until: 2000 })) lines.push(event);
  expect(lines.map(({ logposition }) => logposition)).toEqual(
    Array.from({ length: 1505 }, (_, i) => `${reader.logId}.${496 + i}`),
  );
  expect(lines[0]).toMatchObject({
    specversion: "1.0",
    type: "servofleet.AxisWentOffline.v1",
    source: "/boxes/press_1",
    data: { reason: "r495" },
  });
  await reader.close();
});
