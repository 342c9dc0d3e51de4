import { FakeClock } from "@servofleet/runtime/fake-clock";
import { expect, test } from "vitest";
import type { ModbusRequest } from "../link/link.ts";
import { MemoryLink } from "./testing/memory-link.ts";
import { axisConfig, ended, TestAxis, typesOf } from "./testing/test-axis.ts";
import { TestCia402 } from "./testing/test-cia402.ts";

const UNIT = 255;
const rates = { velocity: 100_000, acceleration: 1_000_000, deceleration: 500_000 };

async function rig() {
  const clock = new FakeClock();
  const drive = new TestCia402(clock);
  const link = new MemoryLink("line_a", clock, new Map([[UNIT, drive]]));
  const axis = new TestAxis(clock, link, axisConfig("t1", UNIT, "mitsubishi-mr-je-c"));
  await axis.until(() => axis.supervisor.status().reads >= 2);
  return { clock, drive, link, axis };
}

async function enabledRig() {
  const parts = await rig();
  const reports = parts.axis.order({ kind: "enable" });
  await parts.axis.until(() => ended(reports()));
  parts.link.seen.length = 0;
  parts.drive.controlwords.length = 0;
  return parts;
}
const requests = (link: MemoryLink) => link.writes().map((seen) => seen.request);
const word = (value: number) => ({ fn: "write-many", address: 0x6040, values: [value] });
const pair = (address: number, low: number, high = 0) => ({ fn: "write-many", address, values: [low, high] });

test("enable walks the state machine by 06, 07, 0F, each confirmed, and by function 10h only", async () => {
  const { link, axis, drive } = await rig();
  const reports = axis.order({ kind: "enable" });
  await axis.until(() => ended(reports()));
  expect(requests(link)).toEqual([word(0x06), word(0x07), word(0x0f)]);
  expect(typesOf(reports())).toEqual(["order-sent", "order-acknowledged", "order-done"]);
  expect(drive.state).toBe("enabled");
});

test("enabling an enabled drive writes nothing: a word could continue a halted move", async () => {
  const { link, axis } = await enabledRig();
  const reports = axis.order({ kind: "enable" });
  await axis.until(() => ended(reports()));
  expect(link.writes()).toEqual([]);
  expect(typesOf(reports())).toEqual(["order-acknowledged", "order-done"]);
});

test("a move follows the profile position handshake and does not take the last move's target reached for its own", async () => {
  const { link, axis, drive } = await enabledRig();
  const reports = axis.order({ kind: "move-absolute", targetCounts: 70_000, ...rates });
  await axis.until(() => ended(reports()));
  expect(requests(link)).toEqual([
    pair(0x6081, 34_464, 1),
    pair(0x6083, 16_960, 15),
    pair(0x6084, 41_248, 7),
    pair(0x607a, 4464, 1),
    word(0x3f),
    word(0x0f),
  ]);
  expect(typesOf(reports())).toEqual(["order-sent", "order-acknowledged", "motion-started", "order-done"]);
  expect(drive.motor.position).toBe(70_000);
});

test("a new move takes over at once with change set immediately, and bit 4 has been low in between", async () => {
  const { axis, drive } = await enabledRig();
  const first = axis.order({ kind: "move-absolute", targetCounts: 80_000, ...rates });
  await axis.until(() => drive.motor.running);
  const second = axis.order({ kind: "move-absolute", targetCounts: 5000, ...rates });
  await axis.until(() => ended(second()));
  expect(drive.controlwords).toEqual([0x3f, 0x0f, 0x3f, 0x0f]);
  expect(first().at(-1)).toMatchObject({ type: "order-aborted", by: "motion" });
  expect(second().at(-1)).toMatchObject({ type: "order-done", positionCounts: 5000 });
});

test("a halt keeps its bit until the next order, which releases it in the word of its own start", async () => {
  const { axis, drive } = await enabledRig();
  axis.order({ kind: "move-absolute", targetCounts: 80_000, ...rates });
  await axis.until(() => drive.motor.running);
  drive.controlwords.length = 0;
  const halt = axis.order({ kind: "halt", deceleration: 250_000 });
  await axis.until(() => ended(halt()));
  expect(drive.controlwords.filter((one) => one !== 0x0f)).toEqual([0x010f]);
  expect(drive.i32(0x6084)).toBe(250_000);
  await axis.clock.advance(2000);
  expect(drive.controlwords.at(-1)).toBe(0x010f);
  const next = axis.order({ kind: "move-absolute", targetCounts: 1000, ...rates });
  await axis.until(() => ended(next()));
  expect(drive.controlwords.slice(drive.controlwords.lastIndexOf(0x010f) + 1)).toEqual([0x3f, 0x0f]);
  expect(next().at(-1)).toMatchObject({ type: "order-done" });
});

test("a halt whose answer was lost is not released before the next start: the halted move never goes on", async () => {
  const { axis, drive, link } = await enabledRig();
  axis.order({ kind: "move-absolute", targetCounts: 80_000, ...rates });
  await axis.until(() => drive.motor.running);
  // The word that lowers bit 4 gets lost, and so does the answer to the halt.
  await axis.until(() => drive.controlwords.at(-1) === 0x0f);
  const control = (request: ModbusRequest) => request.fn === "write-many" && request.address === 0x6040;
  link.fate = ({ request }) => (control(request) ? "lost-reply" : "answer");
  axis.order({ kind: "halt", deceleration: 250_000 });
  await axis.until(() => drive.controlwords.at(-1) === 0x010f);
  link.fate = ({ request }) => (control(request) ? "lost-request" : "answer");
  axis.order({ kind: "move-absolute", targetCounts: 2000, ...rates });
  await axis.until(() => link.writes().at(-1)?.fate === "lost-request");
  link.fate = () => "answer";
  const next = axis.order({ kind: "move-absolute", targetCounts: 1000, ...rates });
  await axis.until(() => ended(next()));
  const after = drive.controlwords.slice(drive.controlwords.indexOf(0x010f) + 1);
  expect(after.slice(-3)).toEqual([0x010f, 0x3f, 0x0f]);
  expect(after.indexOf(0x0f)).toBe(after.length - 1);
});

test("homing runs in mode 6, is remembered, and is forgotten when the drive was switched off and on", async () => {
  const { axis, drive, clock } = await enabledRig();
  const home = axis.order({ kind: "home", method: 17, velocity: 1000, acceleration: 10_000, offsetCounts: 0 });
  await axis.until(() => ended(home()));
  expect(home().at(-1)).toMatchObject({ type: "order-done" });
  expect(drive.controlwords).toEqual([0x1f]);
  expect(drive.mode).toBe(6);
  const move = axis.order({ kind: "move-absolute", targetCounts: 3000, ...rates });
  await axis.until(() => ended(move()));
  expect(move().at(-1)).toMatchObject({ type: "order-done" });
  expect(axis.supervisor.status().homed).toBe(true);
  drive.powerCycle();
  await clock.advance(1000);
  expect(axis.supervisor.status()).toMatchObject({ homed: false, enabled: false });
});

test("homing is forgotten when a disabled drive was switched off and on: its controlword of 0 is also that of a fresh one", async () => {
  const { axis, drive, clock, link } = await enabledRig();
  const home = axis.order({ kind: "home", method: 17, velocity: 1000, acceleration: 10_000, offsetCounts: 0 });
  await axis.until(() => ended(home()));
  const disable = axis.order({ kind: "disable" });
  await axis.until(() => ended(disable()));
  expect(axis.supervisor.status()).toMatchObject({ homed: true, enabled: false });
  link.setUp(false, "the drive is off");
  await clock.advance(500);
  drive.powerCycle();
  link.setUp(true);
  await clock.advance(1000);
  expect(axis.supervisor.status()).toMatchObject({ online: true, homed: false });
});

test("a homing error of the drive ends Home as failed, and the axis is not homed", async () => {
  const { axis, drive } = await enabledRig();
  drive.homingFails = true;
  const home = axis.order({ kind: "home", method: 17, velocity: 1000, acceleration: 10_000, offsetCounts: 0 });
  await axis.until(() => ended(home()));
  expect(home().at(-1)).toMatchObject({ type: "order-failed", problem: { slug: "limit-reached" } });
  expect(axis.supervisor.status().homed).toBe(false);
});

test("a home offset that the profile only infers is refused before any byte", async () => {
  const { axis, link } = await enabledRig();
  const home = axis.order({ kind: "home", method: 17, velocity: 1000, acceleration: 10_000, offsetCounts: 50 });
  await axis.until(() => ended(home()));
  expect(home()).toMatchObject([{ type: "order-refused", reason: "unsupported" }]);
  expect(link.writes()).toEqual([]);
});

test("a velocity move enters mode 3 at speed zero, then writes its speed", async () => {
  const { axis, link, drive } = await enabledRig();
  const reports = axis.order({
    kind: "move-velocity",
    ...rates,
    velocity: -20_000,
    minCounts: -40_000,
    maxCounts: 50_000,
  });
  await axis.until(() => ended(reports()));
  const speeds = requests(link).filter((request) => request.address === 0x60ff);
  expect(speeds).toEqual([pair(0x60ff, 0), pair(0x60ff, 0xb1e0, 0xffff)]);
  expect(reports().at(-1)).toMatchObject({ type: "order-aborted", by: "limit" });
  expect(drive.motor.position).toBeGreaterThanOrEqual(-40_000);
  // Enabling again later must not run at the old 60FF.
  axis.order({ kind: "disable" });
  await axis.until(() => drive.state !== "enabled");
  const again = axis.order({ kind: "enable" });
  await axis.until(() => ended(again()));
  expect(drive.motor.running).toBe(false);
});

test("a stop is one frame, the quick stop word, and no word follows it", async () => {
  const { axis, drive, link } = await enabledRig();
  const move = axis.order({ kind: "move-absolute", targetCounts: 80_000, ...rates });
  await axis.until(() => link.writes().some((seen) => JSON.stringify(seen.request) === JSON.stringify(word(0x3f))));
  axis.stop();
  await axis.until(() => ended(move()));
  await axis.clock.advance(1000);
  expect(drive.controlwords.at(-1)).toBe(0x0002);
  expect(drive.motor.running).toBe(false);
  const results = axis.reports.flatMap((report) => (report.type === "stop-result" ? [report.result] : []));
  expect(results).toEqual(["sent", "acknowledged"]);
  expect(axis.supervisor.status()).toMatchObject({ enabled: false, stopGeneration: 1, stopPending: false });
});

test("a quick stop that stays active is left by disable voltage before enabling", async () => {
  const { axis, drive } = await enabledRig();
  drive.quickStopOption = 6;
  axis.stop();
  await axis.until(() => drive.state === "quick-stop");
  drive.controlwords.length = 0;
  const enable = axis.order({ kind: "enable" });
  await axis.until(() => ended(enable()));
  expect(drive.controlwords).toEqual([0x00, 0x06, 0x07, 0x0f]);
});

test("a fault reset is the rising edge of bit 7 and leaves the drive disabled", async () => {
  const { axis, drive } = await enabledRig();
  drive.trip(0x8611);
  await axis.until(() => axis.supervisor.status().fault !== null);
  expect(axis.supervisor.status().fault).toMatchObject({ code: "0x8611", name: "following error" });
  drive.controlwords.length = 0;
  const reset = axis.order({ kind: "reset-fault" });
  await axis.until(() => ended(reset()));
  expect(drive.controlwords.slice(0, 2)).toEqual([0x00, 0x80]);
  expect(reset().at(-1)).toMatchObject({ type: "order-done" });
  expect(drive.state).toBe("disabled");
});

test("a status pattern that no table names is unknown: it neither disables nor ends anything", async () => {
  const { axis, drive } = await enabledRig();
  const move = axis.order({ kind: "move-absolute", targetCounts: 5000, ...rates });
  await axis.until(() => drive.motor.running);
  drive.strange = true;
  await axis.clock.advance(500);
  expect(axis.supervisor.status().enabled).toBe(true);
  expect(ended(move())).toBe(false);
  expect(axis.samples.at(-1)).toMatchObject({ quality: "uncertain" });
  drive.strange = false;
  await axis.until(() => ended(move()));
  expect(move().at(-1)).toMatchObject({ type: "order-done" });
});
