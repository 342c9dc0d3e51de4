import { FakeClock } from "@servofleet/runtime/fake-clock";
import { expect, test } from "vitest";
import { MemoryLink } from "./testing/memory-link.ts";
import { axisConfig, ended, TestAxis, typesOf } from "./testing/test-axis.ts";
import { TestPathTable } from "./testing/test-path-table.ts";

const UNIT = 3;
const rates = { velocity: 50_000, acceleration: 500_000, deceleration: 500_000 };

async function rig() {
  const clock = new FakeClock();
  const drive = new TestPathTable(clock);
  const link = new MemoryLink("line_a", clock, new Map([[UNIT, drive]]));
  const axis = new TestAxis(clock, link, axisConfig("x1", UNIT, "leadshine-icl-rs"));
  await axis.until(() => axis.supervisor.status().reads >= 2);
  return { clock, drive, link, axis };
}

async function enabledRig() {
  const parts = await rig();
  const reports = parts.axis.order({ kind: "enable" });
  await parts.axis.until(() => ended(reports()));
  return parts;
}

test("attaching only reads", async () => {
  const { link } = await rig();
  expect(link.writes()).toEqual([]);
});

test("enable writes 0x000F once and ends when the drive shows it", async () => {
  const { link, axis } = await rig();
  const reports = axis.order({ kind: "enable" });
  await axis.until(() => ended(reports()));
  expect(typesOf(reports())).toEqual(["order-sent", "order-acknowledged", "order-done"]);
  expect(link.writes().map((seen) => seen.request)).toEqual([{ fn: "write", address: 0x000f, value: 1 }]);
  expect(axis.supervisor.status().enabled).toBe(true);
});

test("a move is one FC10 of eight registers that ends in the trigger, and ends where the drive is measured", async () => {
  const { link, axis, drive } = await enabledRig();
  const reports = axis.order({ kind: "move-absolute", targetCounts: 30_000, ...rates });
  await axis.until(() => ended(reports()));
  // 50000 counts/s are 300 rpm; 500000 counts/s2 are 334 ms per 1000 rpm, rounded to the gentler side.
  const block = [1, 0, 30_000, 300, 334, 334, 0, 0x0010];
  expect(
    link
      .writes()
      .slice(1)
      .map((seen) => seen.request),
  ).toEqual([{ fn: "write-many", address: 0x6200, values: block }]);
  expect(typesOf(reports())).toEqual(["order-sent", "order-acknowledged", "motion-started", "order-done"]);
  expect(reports().at(-1)).toMatchObject({
    positionCounts: 30_000,
    summary: { peakVelocityCountsPerS: expect.any(Number) },
  });
  expect(drive.motor.position).toBe(30_000);
});
