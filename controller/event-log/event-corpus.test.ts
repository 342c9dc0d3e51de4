import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type DomainEvent, EVENT_SCHEMAS, type EventType, eventChecker } from "@servofleet/contracts";
import { LogReader } from "@servofleet/runtime/log-reader";
import { eventOfRow, type LogRow } from "@servofleet/runtime/log-schema";
import { eventVersion, type Upcast, upcastEvent } from "@servofleet/runtime/log-upcast";
import { SqliteDatabase } from "@servofleet/runtime/sqlite";
import { systemClock, systemRandom } from "@servofleet/runtime/system-clock";
import { describe, expect, test } from "vitest";
import { verifyLog } from "./log-verify.ts";
import { openEventLog } from "./open-event-log.ts";

/** One file per type and version that ever shipped, `<Type>.v<version>.json`: an array of data as rows hold it. Never edited. */
const CORPUS = new URL("testing/event-corpus/", import.meta.url);
const fixtures = await Promise.all(
  (await readdir(CORPUS)).map(async (file) => {
    const [, type = "", version = ""] = /^(\w+)\.v(\d+)\.json$/.exec(file) ?? [];
    const examples = JSON.parse(await readFile(new URL(file, CORPUS), "utf8")) as unknown[];
    return { file, type, schema: Number(version), examples };
  }),
);
const types = Object.keys(EVENT_SCHEMAS) as EventType[];
const check = eventChecker();

test("every type of event has an example of each version that was ever written", () => {
  const wanted = types.flatMap((type) =>
    Array.from({ length: eventVersion(type) }, (_, i) => `${type}.v${i + 1}.json`),
  );
  const missing = wanted.filter((file) => !fixtures.some((fixture) => fixture.file === file));
  expect(missing, "put what a real log holds of them into controller/event-log/testing/event-corpus").toEqual([]);
});

describe("every shape that ever shipped is read, and fits today's schema:", () => {
  test.each(fixtures)("$type version $schema", ({ type, schema, examples }) => {
    expect(examples.length).toBeGreaterThan(0);
    for (const data of examples) {
      const event = upcastEvent({ type, schema, data });
      expect(event && check(event as DomainEvent)).toBeNull();
    }
  });
});

test("an old shape goes through every step, also into another name, and today's shape through none", () => {
  const upcasts: Record<string, readonly Upcast[]> = {
    AxisLost: [() => ({ type: "AxisWentOffline", data: { why: "gone" } })],
    AxisWentOffline: [
      (data) => ({ data: { cause: (data as { why: string }).why } }),
      (data) => ({ data: { reason: (data as { cause: string }).cause } }),
    ],
  };
  const today = { type: "AxisWentOffline", schema: 3, data: { reason: "gone" } };
  expect(upcastEvent({ type: "AxisLost", schema: 1, data: {} }, upcasts)).toEqual(today);
  expect(upcastEvent({ type: "AxisWentOffline", schema: 2, data: { cause: "gone" } }, upcasts)).toEqual(today);
  expect(upcastEvent(today, upcasts)).toEqual(today);
  expect(eventVersion("AxisWentOffline", upcasts)).toBe(3);
});

test.each([
  ["a type that is not known", "AxisFlew", 1],
  ["a version that is not known", "AxisWentOffline", 9],
  ["a name of every object", "constructor", 1],
])("%s is refused in words, never skipped", (_name, type, schema) => {
  const row = { position: 7, type, schema, data: "{}" } as LogRow;
  expect(() => eventOfRow(row)).toThrow(new RegExp(`position 7 holds ${type} version ${schema}.*newer version`));
});

test("the corpus goes through a real log and comes back as it was, and its rows hold the very text", async () => {
  const directory = await mkdtemp(join(tmpdir(), "event-corpus-"));
  const file = join(directory, "events.db");
  const clock = systemClock();
  const today = fixtures.filter(({ type, schema }) => schema === eventVersion(type));
  const examples = today.flatMap(({ type, examples }) => examples.map((data) => ({ type, data }) as DomainEvent));
  const log = await openEventLog({ directory, clock, random: systemRandom(), box: "press_1" });
  await log.append(examples.map((event) => ({ stream: "axis-x1", event })));
  await log.close();
  const reader = await LogReader.open({ file, clock });
  expect((await reader?.readAfter(0, 1000))?.map(({ type, data }) => ({ type, data }))).toEqual(examples);
  await reader?.close();
  const database = await SqliteDatabase.open(file, { readOnly: true });
  const rows = await database.all<{ data: string }>("SELECT data FROM events ORDER BY position");
  expect(rows.map(({ data }) => data)).toEqual(examples.map(({ data }) => JSON.stringify(data)));
  await database.close();
  expect(await verifyLog(file, clock)).toMatchObject({ ok: true, events: examples.length });
  await rm(directory, { recursive: true });
});
