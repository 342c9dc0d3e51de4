import { until } from "@servofleet/firmware-bridge/link/testing/link-bench";
import { loadProfile } from "@servofleet/firmware-bridge/profile/load-profile";
import { systemClock } from "@servofleet/runtime/system-clock";
import { expect, onTestFinished, test } from "vitest";
import { axisAbilities } from "../../firmware-bridge/bridge/axis-abilities.ts";
import { axisOnLine } from "./testing/axis-on-line.ts";

const clock = systemClock();
const model = "register-servo";
const velocityMove = {
  kind: "move-velocity",
  velocity: 500,
  acceleration: 15_000,
  deceleration: 15_000,
  minCounts: 0,
  maxCounts: 4000,
} as const;

test("a watchdog counts only while it reads back as set, and what depends on it is refused otherwise", async () => {
  const config = { allowUnboundedMoves: false, poll: { movingMs: 20, idleMs: 100 } };
  const profile = loadProfile(model);
  const axis = await axisOnLine(profile, { id: "s1", unit: 7, model }, config);
  onTestFinished(() => axis.close());
  const { drive } = axis.supervisor;
  const abilities = () => axisAbilities(axis.supervisor.config, profile, drive.watchdogArmed).commLoss;

  await until(() => drive.watchdogArmed === false, "the drive starts with its watchdog off");
  expect(abilities()).toMatchObject({ supported: false, reaction: expect.stringContaining("not set") });
  await axis.done({ kind: "enable" });
  expect(drive.watchdogArmed).toBe(true);
  expect(abilities()).toMatchObject({ supported: true, reaction: expect.stringContaining("read back as set") });

  // Somebody with the maker's tool switches it off.
  const at = Number(profile.fact("watchdog").address);
  axis.port.answer(Buffer.of(0x10, at >> 8, at & 0xff, 0, 1, 2, 0, 0), clock.monotonicNs());
  await until(() => drive.watchdogArmed === false, "it reads back as off");
  expect(await axis.done(velocityMove)).toMatchObject({ type: "order-refused", reason: "unsupported" });
  expect(axis.kinds().filter((kind) => kind === "velocity")).toEqual([]);
});
