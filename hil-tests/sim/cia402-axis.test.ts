import type { OrderAction, Report } from "@servofleet/contracts";
import { ended } from "@servofleet/firmware-bridge/axis/testing/test-axis";
import { until } from "@servofleet/firmware-bridge/link/testing/link-bench";
import { DriveProfile } from "@servofleet/firmware-bridge/profile/drive-profile";
import { loadProfile } from "@servofleet/firmware-bridge/profile/load-profile";
import { afterAll, describe, expect, test } from "vitest";
import type { DriveConfig } from "./links-file.ts";
import { axisOnLine } from "./testing/axis-on-line.ts";

interface Family {
  readonly name: "igus-dryve-d1" | "kinco-fd" | "cia402-modbus";
  readonly transport: "modbus-rtu" | "modbus-tcp";
  readonly unit: number;
  readonly countsPerUnit: number;
  readonly method: number;
  readonly near: number;
  readonly far: number;
  readonly rates: { readonly velocity: number; readonly acceleration: number; readonly deceleration: number };
  /** Bit 8 halts it; otherwise Halt is its quick stop. */
  readonly halts: boolean;
}

const servo = { velocity: 400_000, acceleration: 8_000_000, deceleration: 8_000_000 };
const plain = { countsPerUnit: 1000, method: 37, near: 40_000, far: 3_000_000, rates: servo } as const;
const belt = { velocity: 40_000, acceleration: 400_000, deceleration: 400_000 };
const families: readonly Family[] = [
  {
    name: "igus-dryve-d1",
    transport: "modbus-tcp",
    unit: 0,
    countsPerUnit: 100,
    method: 27,
    near: 3000,
    far: 100_000,
    rates: belt,
    halts: true,
  },
  { ...plain, name: "kinco-fd", transport: "modbus-rtu", unit: 1, halts: false },
  { ...plain, name: "cia402-modbus", transport: "modbus-rtu", unit: 2, halts: true },
];

const open: { close(): Promise<void> }[] = [];
afterAll(async () => {
  for (const rig of open.splice(0)) await rig.close();
});

async function rig(family: Family, quirks: DriveConfig["quirks"] = {}, profile = loadProfile(family.name)) {
  const drive = { id: "a1", unit: family.unit, model: family.name, quirks } as const;
  const limits = { min: -5000, max: 5000, velocity: 10_000, acceleration: 1_000_000, torque: 100 };
  const config = { limits, countsPerUnit: family.countsPerUnit };
  const made = await axisOnLine(profile, drive, config, family.transport);
  open.push(made);
  const { rates, method } = family;
  const move = (targetCounts: number): OrderAction => ({ kind: "move-absolute", targetCounts, ...rates });
  const { velocity, acceleration } = rates;
  const home = { kind: "home", method, velocity: velocity / 2, acceleration, offsetCounts: 0 } as const;
  const moving = async (order: () => Report[]) => {
    const started = () => order().some((one) => one.type === "motion-started");
    await until(() => (made.supervisor.status().moving && started()) || ended(order()), "it moves");
    expect(ended(order()) ? order().at(-1) : null).toBe(null);
  };
  /** Without the speed of 0 that is written before enabling where the mode may be another. */
  const kinds = () => made.kinds().filter((kind) => kind !== "velocity (ignored)");
  return { ...made, kinds, move, home, moving };
}

/** Inside the profiles' windows: a drive may still be settling by a step or two. */
const near = (counts: number) => expect.closeTo(counts, -2);

const done = { type: "order-done" };

/** A loaded machine is slow, and each test waits for several motions one after the other. */
const SLOW_MS = 180_000;

describe.concurrent.each(families)("$name over $transport", { timeout: SLOW_MS }, (family) => {
  test("it is only read until somebody asks, then enables, homes and moves, each start sent once", async () => {
    const { done: run, move, home, supervisor, kinds } = await rig(family);
    expect(supervisor.status()).toMatchObject({ online: true, enabled: false, homed: false });
    expect(kinds()).toEqual([]);
    expect(await run({ kind: "enable" })).toMatchObject(done);
    expect(await run(home)).toMatchObject(done);
    expect(supervisor.status()).toMatchObject({ enabled: true, homed: true });
    expect(await run(move(family.near))).toMatchObject({ ...done, positionCounts: near(family.near) });
    expect(await run(move(family.near))).toMatchObject({ ...done, positionCounts: near(family.near) });
    expect(supervisor.status().homed).toBe(true);
    expect(kinds()).toEqual(["enable", "home", "start-absolute", "start-absolute"]);
  });

  test("a new move takes over a running one, a halt ends it, and the axis moves on afterwards", async () => {
    const { done: run, order, move, home, moving, supervisor, simulated } = await rig(family);
    await run({ kind: "enable" });
    await run(home);
    const first = order(move(family.far));
    await moving(first);
    expect(await run(move(family.near))).toMatchObject({ ...done, positionCounts: near(family.near) });
    expect(first().at(-1)).toMatchObject({ type: "order-aborted", by: "motion" });
    const second = order(move(family.far));
    await moving(second);
    expect(await run({ kind: "halt", deceleration: family.rates.deceleration })).toMatchObject(done);
    expect(second().at(-1)).toMatchObject({ type: "order-aborted", by: "halt" });
    expect(simulated.state().position).toBeLessThan(family.far);
    await until(() => supervisor.status().enabled === family.halts, "it says what the halt has left");
    if (!family.halts) await run({ kind: "enable" });
    expect(await run(move(family.near))).toMatchObject({ ...done, positionCounts: near(family.near) });
  });

  test("a stop in mid-move ends it, and nothing moves until it is enabled and asked again", async () => {
    const { done: run, order, stop, move, home, moving, supervisor, simulated, kinds } = await rig(family);
    await run({ kind: "enable" });
    await run(home);
    const far = order(move(family.far));
    await moving(far);
    await stop();
    await until(() => ended(far()) && !supervisor.status().moving && !supervisor.status().enabled, "it stands");
    expect(far().at(-1)).toMatchObject({ type: "order-aborted", by: "stop" });
    expect(simulated.state().position).toBeLessThan(family.far);
    expect(kinds().at(-1)).toBe("stop");
    expect(await run({ kind: "enable" })).toMatchObject(done);
    expect(await run(move(family.near))).toMatchObject(done);
  });

  test("a held shaft faults, a reset clears it without motion, and a power cycle forgets the home position", async () => {
    const { done: run, order, move, home, moving, supervisor, simulated, kinds } = await rig(family);
    await run({ kind: "enable" });
    await run(home);
    const far = order(move(family.far));
    await moving(far);
    simulated.motor.blocked = true;
    await until(() => ended(far()), "the move ends");
    expect(far().at(-1)).toMatchObject({ type: "order-failed", problem: { slug: "drive-fault" } });
    simulated.motor.blocked = false;
    expect(await run({ kind: "reset-fault" })).toMatchObject(done);
    await until(() => !supervisor.status().moving, "it stands");
    expect(supervisor.status()).toMatchObject({ fault: null, enabled: false });
    expect(kinds().at(-1)).toBe("reset");
    expect(await run({ kind: "enable" })).toMatchObject(done);
    const before = kinds().length;
    simulated.powerCycle();
    await until(() => !supervisor.status().online || !supervisor.status().enabled, "it is away");
    await until(() => supervisor.status().online && !supervisor.status().homed, "it is back");
    expect(supervisor.status()).toMatchObject({ enabled: false, moving: false, homed: false });
    expect(kinds()).toHaveLength(before);
  });

  test("without its master a drive with no watchdog runs on to its target, as its profile warns", async () => {
    const { done: run, order, move, home, moving, line, simulated, supervisor } = await rig(family);
    await run({ kind: "enable" });
    await run(home);
    // Far enough away that a busy host sees it on its way.
    const goal = Math.round(family.far / 4);
    const away = order(move(goal));
    await moving(away);
    await line.unplug();
    await until(() => !supervisor.status().online, "the bridge says so");
    const nowNs = () => process.hrtime.bigint();
    await until(() => {
      simulated.advance(nowNs());
      return !simulated.state().moving;
    }, "it stands");
    expect(simulated.state().position).toEqual(near(goal));
    expect(loadProfile(family.name).data.commLoss).toMatchObject({ supported: false });
  });

  test("a watchdog over every telegram stops the drive that lost its master, and it stays in fault until reset", async () => {
    const parts = await rig(family, { watchdog: "telegram", watchdogMs: 1200 });
    const { done: run, order, move, home, moving, line, supervisor, simulated } = parts;
    await run({ kind: "enable" });
    await run(home);
    await moving(order(move(family.far)));
    await line.unplug();
    const nowNs = () => process.hrtime.bigint();
    await until(() => {
      simulated.advance(nowNs());
      return simulated.state().state === "fault";
    }, "it trips");
    expect(simulated.state().position).toBeLessThan(family.far);
    await line.plug();
    await until(() => supervisor.status().online && supervisor.status().fault !== null, "the fault is shown");
    expect(await run({ kind: "reset-fault" })).toMatchObject(done);
  });

  test("a watchdog over writes trips although the polls go on", async () => {
    const { done: run, order, move, kinds } = await rig(family, { watchdog: "write", watchdogMs: 1500 });
    await run({ kind: "enable" });
    const far = order(move(family.far));
    await until(() => ended(far()), "the move ends");
    expect(far().at(-1)).toMatchObject({ type: "order-failed", problem: { slug: "drive-fault" } });
    expect(kinds()).toContain("start-absolute");
  });

  test("an answer that is lost ends nothing, and a start whose answer is lost is never sent twice", async () => {
    const { done: run, move, home, line, kinds } = await rig(family);
    await run({ kind: "enable" });
    await run(home);
    line.ports[0]?.add({ kind: "silence", execute: true, on: "reads", times: 1 });
    expect(await run(move(family.near))).toMatchObject(done);
    expect(kinds().filter((kind) => kind === "start-absolute")).toHaveLength(1);
  });
});

const [igus, kinco] = families as [Family, Family, Family];

test("igus: without DI7 nothing is written, and the hint names the input", async () => {
  const { done: run, simulated } = await rig(igus, { enableInputLow: true });
  expect(await run({ kind: "enable" })).toMatchObject({ problem: { detail: expect.stringContaining("enable input") } });
  expect(simulated.state().state).toBe("switch-on-disabled");
});

test("igus: another homing method than the drive's own, and a target below 0, are refused before any motion", async () => {
  const { done: run, move, home, kinds } = await rig(igus);
  await run({ kind: "enable" });
  expect(await run({ ...home, method: 17 })).toMatchObject({
    problem: { detail: expect.stringContaining("method 27") },
  });
  expect(await run(move(-1))).toMatchObject({ type: "order-refused", reason: "unsupported" });
  expect(kinds()).toEqual(["enable"]);
});

test("igus: two bytes for a four-byte position never become a position", async () => {
  const { supervisor, samplesSeen } = await shortAnswers();
  expect(supervisor.status()).toMatchObject({ online: true, positionCounts: 70_000 });
  expect(samplesSeen.filter((counts) => counts !== 70_000)).toEqual([]);
});

async function shortAnswers() {
  const drive = {
    id: "a1",
    unit: 0,
    model: "igus-dryve-d1",
    plant: { startAt: 0 },
    quirks: { shortAnswers: 2 },
  } as const;
  const made = await axisOnLine(loadProfile("igus-dryve-d1"), drive, {}, "modbus-tcp");
  open.push(made);
  const samplesSeen: (number | null)[] = [];
  made.simulated.motor.push(70_000);
  await until(() => {
    samplesSeen.push(made.supervisor.status().positionCounts);
    return made.supervisor.status().positionCounts !== 0;
  }, "the new place is seen");
  return { ...made, samplesSeen: samplesSeen.filter((counts) => counts !== 0) };
}

test("kinco: a home bit that never falls is no proof of a second home position", async () => {
  const { done: run, home, supervisor } = await rig({ ...kinco, method: 27 });
  await run({ kind: "enable" });
  expect(await run(home)).toMatchObject(done);
  expect(await run(home)).toMatchObject({
    type: "order-failed",
    problem: { detail: expect.stringContaining("home bit"), remedy: expect.stringContaining("off and on") },
  });
  expect(supervisor.status().homed).toBe(false);
});

test("kinco: where the present place becomes home, the counter proves it although the bit never falls", async () => {
  const { done: run, move, home, supervisor, simulated, kinds } = await rig(kinco);
  await run({ kind: "enable" });
  expect(await run(home)).toMatchObject(done);
  expect(await run(move(kinco.near))).toMatchObject(done);
  expect(await run(home)).toMatchObject(done);
  expect(supervisor.status()).toMatchObject({ homed: true, positionCounts: near(0) });
  expect(await run(home)).toMatchObject(done);
  expect(simulated.state()).toMatchObject({ homed: true, position: near(0) });
  expect(kinds().filter((kind) => kind === "home")).toHaveLength(3);
});

test("kinco: where the bit falls with a new run, homing again succeeds", async () => {
  const { done: run, home, supervisor } = await rig({ ...kinco, method: 27 }, { homeFoundSticks: false });
  await run({ kind: "enable" });
  expect(await run(home)).toMatchObject(done);
  expect(await run(home)).toMatchObject(done);
  expect(supervisor.status().homed).toBe(true);
});

test("kinco: with the halt bit believed a halt leaves the axis enabled", async () => {
  const { data } = loadProfile("kinco-fd");
  const haltBit = { ...data.inferred["haltBit"], enabled: true } as (typeof data.inferred)[string];
  const believing = new DriveProfile({ ...data, inferred: { ...data.inferred, haltBit } });
  const { done: run, order, move, moving, supervisor } = await rig(kinco, {}, believing);
  await run({ kind: "enable" });
  await moving(order(move(kinco.far)));
  expect(await run({ kind: "halt", deceleration: 1_000_000 })).toMatchObject(done);
  expect(supervisor.status().enabled).toBe(true);
});
