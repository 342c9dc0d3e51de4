import { ended, typesOf } from "@servofleet/firmware-bridge/axis/testing/test-axis";
import { until } from "@servofleet/firmware-bridge/link/testing/link-bench";
import { DriveProfile } from "@servofleet/firmware-bridge/profile/drive-profile";
import { loadProfile } from "@servofleet/firmware-bridge/profile/load-profile";
import { afterEach, expect, test } from "vitest";
import { axisOnLine } from "./testing/axis-on-line.ts";

const rates = { velocity: 40_000, acceleration: 800_000, deceleration: 800_000 };
const far = { kind: "move-absolute", targetCounts: 300_000, ...rates } as const;
const home = { kind: "home", method: -1, velocity: 20_000, acceleration: 400_000, offsetCounts: 0 } as const;

/** Inside the profile's window: the drive may still be settling by a step or two. */
const near = (counts: number) => expect.closeTo(counts, -1);

const open: { close(): Promise<void> }[] = [];
afterEach(async () => {
  for (const rig of open.splice(0)) await rig.close();
});

async function rig(believed: readonly string[] = []) {
  const { data } = loadProfile("oriental-az");
  const inferred = Object.fromEntries(
    Object.entries(data.inferred).map(([name, fact]) => [name, { ...fact, enabled: believed.includes(name) }]),
  );
  const profile = new DriveProfile({ ...data, inferred });
  // Away for longer than a busy host needs to notice it.
  const quirks = { bootMs: 3000 };
  const drive = { id: "a1", unit: 3, model: "oriental-az", plant: { startAt: 4000 }, quirks } as const;
  const limits = { min: -100, max: 4000, velocity: 1000, acceleration: 10_000, torque: 100 };
  const made = await axisOnLine(profile, drive, { limits });
  open.push(made);
  return made;
}

test("a drive that has just been found is read and never written", async () => {
  const { supervisor, simulated } = await rig();
  expect(supervisor.status()).toMatchObject({ online: true, enabled: true, homed: false, positionCounts: 4000 });
  expect(simulated.record.list()).toEqual([]);
});

test("it homes, moves, halts, stops in mid-move and moves again, each order sent once", async () => {
  const { done, stop, order, supervisor, simulated, kinds } = await rig();
  expect(await done({ kind: "enable" })).toMatchObject({ type: "order-done" });
  expect(await done(home)).toMatchObject({ type: "order-done", positionCounts: near(0) });
  expect(supervisor.status().homed).toBe(true);
  expect(await done({ kind: "move-absolute", targetCounts: 8500, ...rates })).toMatchObject({
    type: "order-done",
    positionCounts: near(8500),
  });
  const halted = order(far);
  await until(() => supervisor.status().moving, "it moves");
  expect(await done({ kind: "halt", deceleration: 400_000 })).toMatchObject({ type: "order-done" });
  expect(halted().at(-1)).toMatchObject({ type: "order-aborted", by: "halt" });
  const stopped = order(far);
  await until(() => supervisor.status().moving, "it moves again");
  await stop();
  await until(() => ended(stopped()) && !supervisor.status().moving, "it stands");
  expect(stopped().at(-1)).toMatchObject({ type: "order-aborted", by: "stop" });
  expect(simulated.motor.position).toBeLessThan(300_000);
  expect(await done({ kind: "move-absolute", targetCounts: 2000, ...rates })).toMatchObject({ type: "order-done" });
  expect(kinds()).toEqual([
    "home",
    "start-absolute",
    "start-absolute",
    "stop",
    "start-absolute",
    "stop",
    "start-absolute",
  ]);
});

test("a new move over a running one stops first where a takeover is not proven", async () => {
  const { done, order, supervisor, kinds } = await rig();
  const first = order(far);
  await until(() => supervisor.status().moving, "it moves");
  expect(await done({ kind: "move-absolute", targetCounts: 1000, ...rates })).toMatchObject({ type: "order-done" });
  expect(first().at(-1)).toMatchObject({ type: "order-aborted", by: "motion" });
  expect(kinds()).toEqual(["start-absolute", "stop", "start-absolute"]);
});

test("a shaft that is held faults by its name, and a reset clears it without motion", async () => {
  const { done, order, supervisor, simulated, kinds } = await rig();
  simulated.motor.blocked = true;
  const move = order(far);
  await until(() => ended(move()), "the move ends");
  expect(move().at(-1)).toMatchObject({
    type: "order-failed",
    problem: { slug: "drive-fault", detail: expect.stringContaining("position deviation") },
  });
  simulated.motor.blocked = false;
  expect(typesOf([await done({ kind: "reset-fault" })].flatMap((report) => report ?? []))).toEqual(["order-done"]);
  expect(supervisor.status()).toMatchObject({ fault: null, enabled: true, moving: false });
  expect(kinds()).toEqual(["start-absolute", "reset"]);
});

test("a disabled axis stays free through a stop, and a stop of an enabled one never frees it", async () => {
  const { done, stop, supervisor, simulated } = await rig();
  expect(await done({ kind: "disable" })).toMatchObject({ type: "order-done" });
  await stop();
  expect(simulated.motor.powered).toBe(false);
  expect(await done({ kind: "enable" })).toMatchObject({ type: "order-done" });
  await stop();
  expect(simulated.motor.powered).toBe(true);
  expect(supervisor.status().enabled).toBe(true);
});

test("after a power cycle nothing moves and nothing is written until somebody asks; homing is forgotten", async () => {
  const { done, supervisor, simulated, kinds } = await rig();
  await done(home);
  const before = kinds().length;
  simulated.powerCycle();
  await until(() => !supervisor.status().online, "it is away");
  await until(() => supervisor.status().online, "it is back");
  expect(supervisor.status()).toMatchObject({ homed: false, moving: false, positionCounts: near(0) });
  expect(kinds()).toHaveLength(before);
});

test("with every inferred bit believed it homes and moves just the same", async () => {
  const { done, supervisor } = await rig(["ready", "inPosition", "homeEnd", "torqueUnit"]);
  expect(await done(home)).toMatchObject({ type: "order-done", positionCounts: near(0) });
  expect(await done({ kind: "move-absolute", targetCounts: 5000, ...rates })).toMatchObject({ type: "order-done" });
  expect(supervisor.status().homed).toBe(true);
});

test("homing methods and offsets that the drive does not have are refused before any byte", async () => {
  const { done, simulated } = await rig();
  expect(await done({ ...home, method: 17 })).toMatchObject({ type: "order-refused", reason: "unsupported" });
  expect(await done({ ...home, offsetCounts: 5 })).toMatchObject({ type: "order-refused", reason: "unsupported" });
  expect(simulated.record.list()).toEqual([]);
});
