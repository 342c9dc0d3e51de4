import { mkdtemp, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { AxisId } from "@servofleet/contracts";
import { FakeClock } from "@servofleet/runtime/fake-clock";
import { SqliteDatabase } from "@servofleet/runtime/sqlite";
import { openTelemetryReader, type TelemetryReader } from "@servofleet/runtime/telemetry-reader";
import type { TelemetrySample } from "@servofleet/runtime/telemetry-schema";
import { afterEach, beforeEach, expect, test } from "vitest";
import { SIZE_MAX_BYTES } from "./telemetry-retention.ts";
import { openTelemetryStore, type TelemetryStore } from "./telemetry-store.ts";

const X1 = "x1" as AxisId;
const MS = 1000;
const SECOND = 1_000_000;
const T0 = 1_780_000_000_000_000;
let directory = "";
let clock: FakeClock;
let store: TelemetryStore;
let reader: TelemetryReader;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "telemetry-"));
  clock = new FakeClock(T0);
  await open();
  reader = await openTelemetryReader({ file: join(directory, "telemetry.db"), clock });
});
afterEach(async () => {
  await reader.close();
  await store.close();
  await rm(directory, { recursive: true, force: true });
});

async function open(more: { sizeMaxBytes?: number; freeSpace?: () => Promise<number> } = {}): Promise<void> {
  store = await openTelemetryStore({ file: join(directory, "telemetry.db"), clock, ...more });
}
const sample = (atUs: number, position: number, more: Partial<TelemetrySample> = {}): TelemetrySample => ({
  axis: X1,
  atUs,
  position,
  velocity: -position / 3,
  followingError: null,
  torque: 12.5,
  temperature: null,
  moving: true,
  quality: "good",
  ...more,
});
const withoutAxis = ({ axis: _, ...point }: TelemetrySample) => point;

test("samples come back exactly as they were, and only those of the range", async () => {
  const samples = Array.from({ length: 300 }, (_, i) =>
    sample(T0 + i * 20 * MS, Math.sin(i) * 100, {
      temperature: i % 7 ? null : 41.125,
      moving: i % 2 === 0,
      quality: i % 5 ? "good" : "bad",
    }),
  );
  for (const one of samples) store.add(one);
  await store.flush();
  const answer = await reader.read("x1", T0 + 20 * MS, T0 + 5000 * MS, 1000);
  expect(answer).toEqual({ kind: "samples", items: samples.slice(1, 251).map(withoutAxis) });
  expect(await reader.read("y1", T0, T0 + SECOND, 10)).toEqual({ kind: "samples", items: [] });
});

test("more samples than asked for become buckets with smallest, largest and mean", async () => {
  for (let i = 0; i < 1000; i++) store.add(sample(T0 + i * 10 * MS, i));
  await store.flush();
  const answer = await reader.read("x1", T0, T0 + 10 * SECOND - 1, 10);
  expect(answer.kind).toBe("buckets");
  expect(answer.items).toHaveLength(10);
  expect(answer.items[3]).toEqual({
    fromUs: T0 + 3 * SECOND,
    toUs: T0 + 4 * SECOND,
    count: 100,
    position: { min: 300, max: 399, mean: 349.5 },
    velocity: { min: -399 / 3, max: -100, mean: expect.closeTo(-349.5 / 3, 9) },
    followingError: null,
    torque: { min: 12.5, max: 12.5, mean: 12.5 },
    temperature: null,
  });
});

test("what waits is written by itself within the flush period", async () => {
  store.add(sample(T0, 1));
  await clock.advance(5000);
  await store.flush();
  expect((await reader.read("x1", T0, T0, 10)).items).toHaveLength(1);
});

test("long ranges are answered from roll-ups whose extremes and means are those of the samples", async () => {
  const seconds = 7 * 3600;
  for (let i = 0; i < seconds * 2; i++) {
    store.add(sample(T0 + i * 500 * MS, i));
    if (i % 5000 === 4999) await store.flush();
  }
  await store.flush();
  const answer = await reader.read("x1", T0, T0 + seconds * SECOND - 1, 7);
  expect(answer.kind).toBe("buckets");
  expect(answer.items.reduce((sum, bucket) => sum + ("count" in bucket ? bucket.count : 0), 0)).toBe(seconds * 2);
  const first = answer.items[0];
  expect(first && "fromUs" in first && first.position).toMatchObject({ min: 0 });
  const last = answer.items.at(-1);
  expect(last && "fromUs" in last && last.position).toMatchObject({ max: seconds * 2 - 1 });
});

test("a fault is written at once with what led to it, and what followed comes after", async () => {
  for (let i = 0; i < 4000; i++) store.add(sample(T0 + i * 20 * MS, i));
  const faultUs = T0 + 4000 * 20 * MS;
  store.fault(X1, faultUs);
  await store.flush();
  const before = await reader.readBlackBox("x1", T0, faultUs);
  expect(before.at(-1)?.position).toBe(3999);
  expect(before.length).toBeGreaterThanOrEqual(1499);
  expect((await reader.read("x1", faultUs - SECOND, faultUs, 100)).items).toHaveLength(50);
  for (let i = 0; i <= 500; i++) store.add(sample(faultUs + i * 20 * MS, -i));
  await store.flush();
  const after = await reader.readBlackBox("x1", faultUs, faultUs + 20 * SECOND);
  expect(after).toHaveLength(501);
});

test("a wall clock that is set back loses no sample and mixes none up", async () => {
  for (let i = 0; i < 10; i++) store.add(sample(T0 + i * SECOND, i));
  for (let i = 0; i < 10; i++) store.add(sample(T0 - 3600 * SECOND + i * SECOND, 100 + i));
  await store.flush();
  const before = await reader.read("x1", T0 - 3600 * SECOND, T0 - 3590 * SECOND, 100);
  expect(before.items).toHaveLength(10);
  expect((await reader.read("x1", T0, T0 + 20 * SECOND, 100)).items).toHaveLength(10);
});

test("samples go after a day, their roll-ups stay", async () => {
  for (let i = 0; i < 400; i++) store.add(sample(T0 + i * SECOND, i));
  await store.flush();
  clock.stepWall(25 * 3600 * SECOND);
  await store.forget();
  store.add(sample(clock.wallUs(), 0));
  await store.flush();
  const answer = await reader.read("x1", T0, T0 + 400 * SECOND, 1000);
  expect(answer.kind).toBe("buckets");
  expect(answer.items).toHaveLength(400);
});

test("a file that grows too large forgets its oldest samples first", async () => {
  await store.close();
  await open({ sizeMaxBytes: 200_000 });
  let seed = 1;
  for (let chunk = 0; chunk < 60; chunk++) {
    for (let i = 0; i < 100; i++) {
      seed = (seed * 16807) % 2147483647;
      store.add(sample(T0 + (chunk * 100 + i) * 10 * MS, seed / 7));
    }
    await store.flush();
    await store.forget();
  }
  const { size } = await stat(join(directory, "telemetry.db"));
  expect(size).toBeLessThan(600_000);
  expect(await reader.read("x1", T0 + 59_000 * MS, T0 + 60_000 * MS, 1000)).toMatchObject({ kind: "samples" });
});

test("what is due to be forgotten goes at once, however much it is, and the budget is shown", async () => {
  for (let chunk = 0; chunk < 1200; chunk++) {
    store.add(sample(T0 + chunk * 6000 * SECOND, chunk));
    if (chunk % 50 === 0) await store.flush();
  }
  await store.flush();
  clock.stepWall(1200 * 6000 * SECOND);
  await store.forget();
  const file = await SqliteDatabase.open(join(directory, "telemetry.db"), { readOnly: true });
  const old = await file.get("SELECT count(*) AS n FROM chunks WHERE level = 0 AND to_us < ?1", [
    clock.wallUs() - 24 * 3600 * SECOND,
  ]);
  await file.close();
  expect(old).toEqual({ n: 0 });
  expect(await reader.usage()).toMatchObject({ budgetBytes: SIZE_MAX_BYTES, lostSamples: 0 });
});

test("a disk with little room makes the file stay as it is, whatever its budget", async () => {
  await store.close();
  let free = Number.POSITIVE_INFINITY;
  await open({ freeSpace: async () => free });
  const feed = async (from: number) => {
    for (let chunk = from; chunk < from + 40; chunk++) {
      for (let i = 0; i < 100; i++) store.add(sample(T0 + (chunk * 100 + i) * 10 * MS, Math.sin(chunk * 100 + i)));
      await store.flush();
      await store.forget();
    }
    return (await reader.usage())?.fileBytes ?? 0;
  };
  const before = await feed(0);
  free = 1;
  expect(await feed(40)).toBeLessThan(before * 1.2);
  expect(await reader.read("x1", T0 + 79_000 * MS, T0 + 80_000 * MS, 1000)).toMatchObject({ kind: "samples" });
});

test("the newest fault of a stretch of time is found with its own samples alone", async () => {
  const fault = async (fromUs: number, first: number) => {
    for (let i = 0; i < 1000; i++) store.add(sample(fromUs + i * 20 * MS, first + i));
    store.fault(X1, fromUs + 20 * SECOND);
    for (let i = 1000; i <= 1600; i++) store.add(sample(fromUs + i * 20 * MS, first + i));
    await store.flush();
  };
  await fault(T0, 0);
  await fault(T0 + 90 * SECOND, 5000);
  const found = async (fromUs: number, toUs: number, points = 5000) => {
    const { kind, items } = await reader.newestBlackBox("x1", fromUs, toUs, points);
    return [kind, items.length, items[0]?.position, items.at(-1)?.position];
  };
  expect(await found(T0, T0 + 1000 * SECOND)).toEqual(["samples", 1501, 5000, 6500]);
  expect(await found(T0, T0 + 50 * SECOND)).toEqual(["samples", 1501, 0, 1500]);
  expect(await found(T0, T0 + 50 * SECOND, 10)).toMatchObject(["buckets", 10, { min: 0 }, { max: 1500 }]);
  expect(await found(T0 + 500 * SECOND, T0 + 600 * SECOND)).toEqual(["samples", 0, undefined, undefined]);
});

test("a reader may start before the store has ever run", async () => {
  const early = await openTelemetryReader({ file: join(directory, "later", "telemetry.db"), clock });
  expect(await early.read("x1", 0, T0, 10)).toEqual({ kind: "samples", items: [] });
  await early.close();
});

test("a damaged file is put aside and a new one begun", async () => {
  await store.close();
  const file = join(directory, "telemetry.db");
  await writeFile(file, "no database ".repeat(1000));
  await open();
  store.add(sample(T0, 1));
  await store.flush();
  expect((await reader.read("x1", T0, T0, 10)).items).toHaveLength(1);
  expect((await stat(`${file}.damaged`)).size).toBe(12_000);
});

test("what waits at the end is written by close", async () => {
  store.add(sample(T0, 1));
  await store.close();
  expect((await reader.read("x1", T0, T0, 10)).items).toHaveLength(1);
});
