import { until } from "@servofleet/firmware-bridge/link/testing/link-bench";
import { DriveProfile } from "@servofleet/firmware-bridge/profile/drive-profile";
import { loadProfile } from "@servofleet/firmware-bridge/profile/load-profile";
import { systemClock } from "@servofleet/runtime/system-clock";
import { afterEach, describe, expect, test } from "vitest";
import { axisOnLine } from "./testing/axis-on-line.ts";

const clock = systemClock();
type Axis = Awaited<ReturnType<typeof axisOnLine>>;
const open: Axis[] = [];
afterEach(async () => {
  for (const axis of open.splice(0)) await axis.close();
});

/** What each line carries: on Modbus the map that somebody builds a servo to. */
const MODELS = { dynamixel: "dynamixel-x", feetech: "feetech-sts3215", "modbus-rtu": "register-servo" } as const;

/** Bits of the map's fault register have no names but those that its builder gives them. */
const OVERLOAD = { dynamixel: "overload", feetech: "overload", "modbus-rtu": "fault" } as const;

/** This bench waits for answers longer than a line of the plant: a watchdog must not trip on a lost one. */
function patient({ data }: DriveProfile): DriveProfile {
  const { servo } = data;
  if (!servo?.watchdog || data.telegram === "bytes") return new DriveProfile(data);
  return new DriveProfile({ ...data, servo: { ...servo, watchdog: { ...servo.watchdog, ms: 4000 } } });
}

async function servo(bus: keyof typeof MODELS, idleMs = 200): Promise<Axis> {
  const model = MODELS[bus];
  const config = { homing, poll: { movingMs: 20, idleMs } };
  const axis = await axisOnLine(patient(loadProfile(model)), { id: "s1", unit: 7, model }, config, bus);
  open.push(axis);
  return axis;
}

const homing = { required: true, method: 17, velocity: 20, offset: 0 };
const rates = { velocity: 2000, acceleration: 15_000, deceleration: 15_000 };
const at = (axis: Axis): number => {
  axis.simulated.advance(clock.monotonicNs());
  return axis.simulated.state().position;
};
const seen = (axis: Axis) => axis.supervisor.status();

describe.each(["dynamixel", "feetech", "modbus-rtu"] as const)("a %s servo on a pty", (bus) => {
  test("is homed at once, refuses Home, enables where it stands, and ends a move inside its window", async () => {
    const axis = await servo(bus);
    expect(seen(axis)).toMatchObject({ online: true, homed: true, enabled: false, fault: null });
    const home = await axis.done({ kind: "home", method: 17, velocity: 100, acceleration: 1000, offsetCounts: 0 });
    expect(home).toMatchObject({ type: "order-refused" });
    expect(await axis.done({ kind: "enable" })).toMatchObject({ type: "order-done" });
    expect(at(axis)).toBe(2048);
    const move = await axis.done({ kind: "move-absolute", targetCounts: 3000, ...rates });
    expect(move).toMatchObject({ type: "order-done" });
    expect(Math.abs(at(axis) - 3000)).toBeLessThanOrEqual(15);
    expect(axis.kinds()).toEqual(["start-absolute (ignored)", "enable", "start-absolute"]);
  });

  test("a stop in motion brings it to rest ahead of its goal, and nothing moves until the next order", async () => {
    const axis = await servo(bus);
    await axis.done({ kind: "enable" });
    const order = axis.order({
      kind: "move-absolute",
      targetCounts: 4000,
      velocity: 800,
      acceleration: 4000,
      deceleration: 4000,
    });
    await until(() => at(axis) > 2300, "the servo is on its way");
    await axis.stop();
    await until(() => !seen(axis).moving && !axis.simulated.state().moving, "standstill");
    const rest = at(axis);
    expect(rest).toBeGreaterThan(2300);
    expect(rest).toBeLessThan(3900);
    expect(order().some((report) => report.type === "order-done")).toBe(false);
    await until(() => seen(axis).velocityCountsPerS === 0, "the bridge sees it at rest");
    expect(Math.abs(at(axis) - rest)).toBeLessThanOrEqual(1);
    expect(await axis.done({ kind: "move-absolute", targetCounts: 2048, ...rates })).toMatchObject({
      type: "order-done",
    });
  });

  test("a velocity move ends before the end of the way, a halt ends it sooner", async () => {
    const axis = await servo(bus);
    await axis.done({ kind: "enable" });
    const way = { minCounts: 1000, maxCounts: 3000 };
    const run = axis.order({ kind: "move-velocity", velocity: -600, acceleration: 4000, deceleration: 4000, ...way });
    await until(() => at(axis) < 1900, "it runs");
    expect(await axis.done({ kind: "halt", deceleration: 8000 })).toMatchObject({ type: "order-done" });
    expect(at(axis)).toBeGreaterThan(1000);
    expect(run().some((report) => report.type === "order-failed")).toBe(false);
    axis.order({ kind: "move-velocity", velocity: 600, acceleration: 4000, deceleration: 4000, ...way });
    const from = at(axis);
    await until(() => at(axis) > from + 50, "it runs the other way");
    await until(() => !axis.simulated.state().moving, "it stops by itself");
    expect(at(axis)).toBeLessThanOrEqual(3000);
  });

  test("a blocked shaft is a fault by name, and after Reset and Enable it moves again", async () => {
    const axis = await servo(bus);
    await axis.done({ kind: "enable" });
    axis.simulated.motor.blocked = true;
    const failed = await axis.done({ kind: "move-absolute", targetCounts: 3500, ...rates });
    expect(failed).toMatchObject({ type: "order-failed", problem: { slug: "drive-fault" } });
    expect(seen(axis)).toMatchObject({ enabled: false, fault: { code: "0x0020", name: OVERLOAD[bus] } });
    axis.simulated.motor.blocked = false;
    expect(await axis.done({ kind: "reset-fault" })).toMatchObject({ type: "order-done" });
    await until(() => seen(axis).online && seen(axis).fault === null, "it is back");
    expect(await axis.done({ kind: "enable" })).toMatchObject({ type: "order-done" });
    expect(await axis.done({ kind: "move-absolute", targetCounts: 3000, ...rates })).toMatchObject({
      type: "order-done",
    });
  });

  test("silence, damaged and late answers lose no order and start nothing twice", async () => {
    const axis = await servo(bus);
    await axis.done({ kind: "enable" });
    axis.port.add({ kind: "wrong-crc", on: "reads" });
    axis.port.add({ kind: "late-reply", on: "reads", delayMs: 450 });
    expect(await axis.done({ kind: "move-absolute", targetCounts: 2500, ...rates })).toMatchObject({
      type: "order-done",
    });
    axis.port.add({ kind: "silence", on: "writes", times: 1, execute: true });
    expect(await axis.done({ kind: "move-absolute", targetCounts: 3000, ...rates })).toMatchObject({
      type: "order-done",
    });
    const starts = axis.simulated.record
      .list()
      .filter(({ kind, target }) => kind === "start-absolute" && target === 3000);
    expect(starts).toHaveLength(1);
  });

  test("mains off and on takes the torque, and the servo stands until it is enabled again", async () => {
    const axis = await servo(bus);
    await axis.done({ kind: "enable" });
    await axis.done({ kind: "move-absolute", targetCounts: 2600, ...rates });
    axis.simulated.powerCycle();
    await until(() => seen(axis).online && !seen(axis).enabled, "it is read again");
    expect(await axis.done({ kind: "move-absolute", targetCounts: 3000, ...rates })).not.toMatchObject({
      type: "order-done",
    });
    expect(Math.abs(at(axis) - 2600)).toBeLessThanOrEqual(15);
    expect(await axis.done({ kind: "enable" })).toMatchObject({ type: "order-done" });
  });
});

test("the bus watchdog stops a Dynamixel whose master went silent, is shown as a fault, and needs Reset", async () => {
  const axis = await servo("dynamixel");
  await axis.done({ kind: "enable" });
  axis.order({ kind: "move-absolute", targetCounts: 3900, velocity: 300, acceleration: 4000, deceleration: 4000 });
  await until(() => at(axis) > 2100, "it is on its way");
  axis.supervisor.close();
  await until(() => at(axis) > 0 && axis.simulated.state().state === "watchdog tripped", "the watchdog has tripped");
  await until(() => at(axis) > 0 && axis.simulated.motor.velocity === 0, "it stands");
  expect(at(axis)).toBeLessThan(3000);
});

test("a bus watchdog that has tripped is a fault, refuses moves, and is over after Reset and Enable", async () => {
  const axis = await servo("dynamixel", 2600);
  await axis.done({ kind: "enable" });
  await until(() => seen(axis).fault !== null, "polling more slowly than the watchdog trips it");
  expect(seen(axis)).toMatchObject({ fault: { code: "0x0100" } });
  const move = await axis.done({ kind: "move-absolute", targetCounts: 3000, ...rates });
  expect(move).not.toMatchObject({ type: "order-done" });
  expect(at(axis)).toBe(2048);
  expect(await axis.done({ kind: "reset-fault" })).toMatchObject({ type: "order-done" });
  expect(await axis.done({ kind: "enable" })).toMatchObject({ type: "order-done" });
  expect(await axis.done({ kind: "move-absolute", targetCounts: 3000, ...rates })).toMatchObject({
    type: "order-done",
  });
});
