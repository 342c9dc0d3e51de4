import { FakeClock } from "@servofleet/runtime/fake-clock";
import { expect, test } from "vitest";
import type { ProfileData } from "../profile/profile-schema.ts";
import { MemoryLink } from "./testing/memory-link.ts";
import { axisConfig, ended, TestAxis, typesOf } from "./testing/test-axis.ts";
import { TestPathTable } from "./testing/test-path-table.ts";

const UNIT = 3;
const rates = { velocity: 50_000, acceleration: 500_000, deceleration: 500_000 };

async function rig(change?: (data: ProfileData) => ProfileData) {
  const clock = new FakeClock();
  const drive = new TestPathTable(clock);
  const link = new MemoryLink("line_a", clock, new Map([[UNIT, drive]]));
  const axis = new TestAxis(clock, link, axisConfig("x1", UNIT, "leadshine-icl-rs"), change);
  await axis.until(() => axis.supervisor.status().reads >= 2);
  return { clock, drive, link, axis };
}

async function enabledRig(change?: (data: ProfileData) => ProfileData) {
  const parts = await rig(change);
  const reports = parts.axis.order({ kind: "enable" });
  await parts.axis.until(() => ended(reports()));
  parts.link.seen.length = 0;
  return parts;
}
const requests = (link: MemoryLink) => link.writes().map((seen) => seen.request);
const stopFrame = { fn: "write", address: 0x6002, value: 0x040 };

test("attaching only reads", async () => {
  const { link } = await rig();
  expect(link.writes()).toEqual([]);
});

test("a unit that is not the profile's drive is not driven", async () => {
  const clock = new FakeClock();
  const drive = new TestPathTable(clock);
  drive.write(0x0001, [7]);
  const link = new MemoryLink("line_a", clock, new Map([[UNIT, drive]]));
  const axis = new TestAxis(clock, link, axisConfig("x1", UNIT, "leadshine-icl-rs"));
  await clock.advance(1000);
  expect(axis.supervisor.status()).toMatchObject({
    online: false,
    offlineReason: expect.stringContaining("not a leadshine-icl-rs"),
  });
  const reports = axis.order({ kind: "enable" });
  await axis.until(() => ended(reports()));
  expect(reports()).toMatchObject([{ type: "order-refused", reason: "axis-offline" }]);
  expect(link.writes()).toEqual([]);
});

test("enable writes 0x000F once and ends when the drive shows it", async () => {
  const { link, axis } = await rig();
  const reports = axis.order({ kind: "enable" });
  await axis.until(() => ended(reports()));
  expect(typesOf(reports())).toEqual(["order-sent", "order-acknowledged", "order-done"]);
  expect(requests(link)).toEqual([{ fn: "write", address: 0x000f, value: 1 }]);
  expect(axis.supervisor.status().enabled).toBe(true);
});

test("a move is one FC10 of eight registers that ends in the trigger, and ends where the drive is measured", async () => {
  const { link, axis, drive } = await enabledRig();
  const reports = axis.order({ kind: "move-absolute", targetCounts: 30_000, ...rates });
  await axis.until(() => ended(reports()));
  // 50000 counts/s are 300 rpm; 500000 counts/s2 are 334 ms per 1000 rpm, rounded to the gentler side.
  const block = [1, 0, 30_000, 300, 334, 334, 0, 0x0010];
  expect(requests(link)).toEqual([{ fn: "write-many", address: 0x6200, values: block }]);
  expect(typesOf(reports())).toEqual(["order-sent", "order-acknowledged", "motion-started", "order-done"]);
  expect(reports().at(-1)).toMatchObject({
    positionCounts: 30_000,
    summary: { peakVelocityCountsPerS: expect.any(Number) },
  });
  expect(drive.motor.position).toBe(30_000);
});

test("negative targets go high word first", async () => {
  const { link, axis } = await enabledRig();
  axis.order({ kind: "move-absolute", targetCounts: -200_000, ...rates });
  await axis.until(() => link.writes().length > 0);
  // C-LE-5: -200000 is FFFC F2C0.
  expect(requests(link)[0]).toMatchObject({ values: [1, 0xfffc, 0xf2c0, 300, 334, 334, 0, 0x10] });
});

test("a new move over a running one stops first where the INS bit is not known, and waits for standstill", async () => {
  const { link, axis, drive } = await enabledRig();
  const first = axis.order({ kind: "move-absolute", targetCounts: 50_000, ...rates });
  await axis.until(() => drive.motor.running);
  link.seen.length = 0;
  const second = axis.order({ kind: "move-absolute", targetCounts: 1000, ...rates });
  await axis.until(() => ended(second()));
  const kinds = requests(link).map((request) => `${request.fn}@${request.address.toString(16)}`);
  expect(kinds).toEqual(["write@6017", "write@6002", "write@6017", "write-many@6200"]);
  expect(first().at(-1)).toMatchObject({ type: "order-aborted", by: "motion" });
  expect(drive.motor.position).toBe(1000);
  // The stop ramp of the drive's own is back before the move.
  expect(drive.word(0x6017)).toBe(50);
});

test("a start that another motion has kept waiting beyond its deadline never leaves, and says so", async () => {
  const { link, axis, drive } = await enabledRig();
  axis.order({ kind: "move-absolute", targetCounts: 50_000, ...rates });
  await axis.until(() => drive.motor.running);
  link.seen.length = 0;
  // It stops only at the end of its way, half a second later.
  drive.motor.halt = () => undefined;
  const notAfterMs = axis.clock.monotonicMs() + 50;
  const late = axis.order({ kind: "move-absolute", targetCounts: 1000, ...rates }, { notAfterMs });
  await axis.until(() => ended(late()));
  expect(late().at(-1)).toMatchObject({ type: "order-failed", problem: { slug: "deadline-passed" } });
  expect(requests(link).filter(({ address }) => address === 0x6200)).toEqual([]);
});

test("a start is kept back when a newer controller is heard in the middle of its handshake", async () => {
  const { link, axis, drive } = await enabledRig();
  axis.order({ kind: "move-absolute", targetCounts: 50_000, ...rates });
  await axis.until(() => drive.motor.running);
  link.seen.length = 0;
  const late = axis.order({ kind: "move-absolute", targetCounts: 1000, ...rates });
  await axis.until(() => link.writes().length > 0);
  axis.gate.epoch += 1;
  await axis.until(() => ended(late()));
  expect(late().at(-1)).toMatchObject({ type: "order-aborted", by: "policy" });
  expect(requests(link).filter(({ address }) => address === 0x6200)).toEqual([]);
});

test("a new move takes over at once where the profile says that it does", async () => {
  const { link, axis, drive } = await enabledRig((data) => ({
    ...data,
    quirks: { ...data.quirks, insBit: "interrupts" },
  }));
  const first = axis.order({ kind: "move-absolute", targetCounts: 50_000, ...rates });
  await axis.until(() => drive.motor.running);
  link.seen.length = 0;
  const second = axis.order({ kind: "move-absolute", targetCounts: 1000, ...rates });
  await axis.until(() => ended(second()));
  expect(requests(link)).toMatchObject([{ fn: "write-many", values: [0x11, 0, 1000, 300, 334, 334, 0, 0x10] }]);
  expect(first().at(-1)).toMatchObject({ type: "order-aborted", by: "motion" });
});

test("homing writes its block in one frame, starts by 0x020 and ends when the drive says homed", async () => {
  const { link, axis, drive } = await enabledRig();
  const reports = axis.order({ kind: "home", method: 17, velocity: 10_000, acceleration: 200_000, offsetCounts: 500 });
  await axis.until(() => ended(reports()));
  expect(requests(link)).toEqual([
    { fn: "write-many", address: 0x600a, values: [0, 0, 500, 0, 500, 60, 15, 834, 834] },
    { fn: "write", address: 0x6002, value: 0x020 },
  ]);
  expect(reports().at(-1)).toMatchObject({ type: "order-done", positionCounts: 500 });
  expect(axis.supervisor.status().homed).toBe(true);
  expect(drive.homed).toBe(true);
});

test("a homing run that a limit ended fails with the limit as its reason", async () => {
  const { axis, drive } = await enabledRig();
  drive.homeSwitchDead = true;
  const reports = axis.order({ kind: "home", method: 17, velocity: 10_000, acceleration: 200_000, offsetCounts: 0 });
  await axis.until(() => ended(reports()));
  expect(reports().at(-1)).toMatchObject({ type: "order-failed", problem: { slug: "limit-reached" } });
});

test("a halt writes its own deceleration before the stop word and ends at measured standstill", async () => {
  const { link, axis, drive } = await enabledRig();
  const move = axis.order({ kind: "move-absolute", targetCounts: 50_000, ...rates });
  await axis.until(() => drive.motor.running);
  link.seen.length = 0;
  const halt = axis.order({ kind: "halt", deceleration: 250_000 });
  await axis.until(() => ended(halt()));
  expect(requests(link)).toEqual([{ fn: "write", address: 0x6017, value: 667 }, stopFrame]);
  expect(move().at(-1)).toMatchObject({ type: "order-aborted", by: "halt" });
  expect(halt().at(-1)).toMatchObject({ type: "order-done" });
});

test("a stop after a halt sends its frame first and only then gives the drive its own ramp back", async () => {
  const { link, axis, drive } = await enabledRig();
  axis.order({ kind: "move-absolute", targetCounts: 50_000, ...rates });
  await axis.until(() => drive.motor.running);
  axis.order({ kind: "halt", deceleration: 250_000 });
  await axis.until(() => drive.triggers.includes(0x040));
  link.seen.length = 0;
  axis.stop();
  await axis.until(() => requests(link).length >= 3);
  expect(requests(link)).toEqual([stopFrame, { fn: "write", address: 0x6017, value: 50 }, stopFrame]);
});

test("a fault under way ends the order with the drive's own reason, and a reset clears it", async () => {
  const { axis, drive } = await enabledRig();
  const move = axis.order({ kind: "move-absolute", targetCounts: 50_000, ...rates });
  await axis.until(() => drive.motor.running);
  drive.alarm = 0x80;
  drive.motor.halt();
  await axis.until(() => ended(move()));
  expect(move().at(-1)).toMatchObject({
    type: "order-failed",
    problem: { slug: "drive-fault", detail: expect.stringContaining("shaft") },
  });
  expect(axis.supervisor.status().fault).toMatchObject({ code: "0x0080" });
  const reset = axis.order({ kind: "reset-fault" });
  await axis.until(() => ended(reset()));
  expect(typesOf(reset())).toEqual(["order-sent", "order-acknowledged", "order-done"]);
  expect(axis.supervisor.status().fault).toBeNull();
});

test("an exception to a move fails it with the drive's answer; nothing runs", async () => {
  const { axis, drive, link } = await enabledRig();
  drive.refuses = 3;
  const move = axis.order({ kind: "move-absolute", targetCounts: 50_000, ...rates });
  await axis.until(() => ended(move()));
  expect(typesOf(move())).toEqual(["order-sent", "order-failed"]);
  expect(move().at(-1)).toMatchObject({
    problem: { slug: "drive-exception", detail: expect.stringContaining("exception 3") },
  });
  expect(link.writes()).toHaveLength(1);
});

test("a shaft that an obstacle holds ends the move as a following error, not as done", async () => {
  const { axis, drive } = await enabledRig();
  drive.motor.blockedAt = 5000;
  const move = axis.order({ kind: "move-absolute", targetCounts: 20_000, ...rates });
  await axis.until(() => ended(move()));
  expect(move().at(-1)).toMatchObject({
    type: "order-failed",
    positionCounts: 5000,
    problem: { slug: "following-error" },
  });
});

test("a parameter is compared, written once if different, and read back", async () => {
  const { axis, link, drive } = await enabledRig();
  const first = axis.order({ kind: "write-parameter", parameter: "followingErrorLimit", value: 2500 });
  await axis.until(() => ended(first()));
  const again = axis.order({ kind: "write-parameter", parameter: "followingErrorLimit", value: 2500 });
  await axis.until(() => ended(again()));
  expect(requests(link)).toEqual([{ fn: "write", address: 0x000b, value: 2500 }]);
  expect(drive.word(0x000b)).toBe(2500);
  expect(again().at(-1)).toMatchObject({ type: "order-done" });
  const foreign = axis.order({ kind: "write-parameter", parameter: "enable", value: 1 });
  await axis.until(() => ended(foreign()));
  expect(foreign()).toMatchObject([{ type: "order-refused", reason: "unsupported" }]);
});

test("a speed below the drive's least is refused before any byte, never rounded to nothing", async () => {
  const { axis, link } = await enabledRig();
  const reports = axis.order({ kind: "move-absolute", targetCounts: 100, ...rates, velocity: 100 });
  await axis.until(() => ended(reports()));
  expect(reports()).toMatchObject([
    { type: "order-refused", reason: "unsupported", problem: { slug: "unsupported-by-drive" } },
  ]);
  expect(link.writes()).toEqual([]);
});

test("a velocity move is halted before its limit and ends by the limit", async () => {
  const { axis, drive, link } = await enabledRig();
  const reports = axis.order({ kind: "move-velocity", ...rates, minCounts: 0, maxCounts: 50_000 });
  await axis.until(() => ended(reports()));
  expect(requests(link)[0]).toMatchObject({ fn: "write-many", values: [2, 0, 0, 300, 334, 334, 0, 0x10] });
  expect(reports().at(-1)).toMatchObject({ type: "order-aborted", by: "limit" });
  expect(drive.motor.position).toBeLessThanOrEqual(50_000);
  expect(drive.motor.running).toBe(false);
});

test("a velocity move on a drive without a watchdog needs the configuration's leave", async () => {
  const clock = new FakeClock();
  const drive = new TestPathTable(clock);
  drive.enabled = true;
  const link = new MemoryLink("line_a", clock, new Map([[UNIT, drive]]));
  const axis = new TestAxis(clock, link, { ...axisConfig("x1", UNIT, "leadshine-icl-rs"), allowUnboundedMoves: false });
  await axis.until(() => axis.supervisor.status().reads >= 2);
  const reports = axis.order({ kind: "move-velocity", ...rates, minCounts: 0, maxCounts: 50_000 });
  await axis.until(() => ended(reports()));
  expect(reports()).toMatchObject([{ type: "order-refused", reason: "unsupported" }]);
});

test("what the axis shows is told again after each order, since a standstill under an order changes no shown state", async () => {
  const { axis } = await enabledRig();
  const reports = axis.order({ kind: "move-absolute", targetCounts: 2000, ...rates });
  await axis.until(() => ended(reports()));
  const end = axis.reports.findLastIndex((report) => report.type === "order-done");
  expect(axis.reports.slice(end + 1)).toMatchObject([{ type: "axis-status", status: { moving: false } }]);
});
