import type { OrderAction } from "@servofleet/contracts";
import type { MotionUnits } from "../profile/motion-units.ts";
import { type Cia402Control, CONTROL } from "./cia402-control.ts";
import { changeMode } from "./cia402-mode.ts";
import { needEnabled, rawOf } from "./cia402-motion.ts";
import { MODE } from "./cia402-status.ts";
import type { DriveFacts } from "./drive-facts.ts";
import { type DriveTalk, HandshakeError } from "./drive-talk.ts";

type HomeAction = Extract<OrderAction, { kind: "home" }>;

/** Homing mode: method, offset and rates where the profile has them, then bit 4 rising and held. */
export async function startHoming(
  action: HomeAction,
  control: Cia402Control,
  units: MotionUnits,
  talk: DriveTalk,
  facts: DriveFacts,
  starting: () => void,
): Promise<void> {
  const { profile } = control;
  await needEnabled(control, talk);
  await setMethod(action, control, talk);
  // Leaving and entering the mode clears what the last homing run left in bits 12 and 13.
  const mode = control.knownMode;
  if (mode === MODE.homing || mode === null) await changeMode(MODE.profilePosition, control, talk, facts);
  if (profile.has("homeOffset")) await control.set(talk, "homeOffset", action.offsetCounts);
  await setRates(action, control, units, talk);
  await changeMode(MODE.homing, control, talk, facts);
  if (control.startBit || control.mayBeHalted) await control.write(talk, CONTROL.enableOperation, "prepare");
  await talk.pause(control.dialect.startPauseMs);
  starting();
  await control.write(talk, CONTROL.startHoming, "decisive");
}

/** Where the method is set in the drive's own pages, another one than the axis was set up for must not run. */
async function setMethod(action: HomeAction, control: Cia402Control, talk: DriveTalk): Promise<void> {
  const { profile } = control;
  const raw = profile.data.homingMethods[String(action.method)] ?? action.method;
  if (profile.fact("homingMethod").access !== "ro") {
    await control.set(talk, "homingMethod", raw);
    return;
  }
  const found = (await talk.read("homingMethod")).get("homingMethod");
  if (found === raw) return;
  throw new HandshakeError(
    "unsupported",
    { found, wanted: raw },
    `the drive is set to homing method ${found} and takes none from outside: set method ${raw} in the drive's own pages, or homing.method of the axis to ${found}`,
  );
}

async function setRates(
  action: HomeAction,
  control: Cia402Control,
  units: MotionUnits,
  talk: DriveTalk,
): Promise<void> {
  const { profile } = control;
  if (!profile.has("homingSpeedFast")) return;
  const fast = rawOf(units.speed(action.velocity));
  const slow = Math.max(1, Math.floor(fast * profile.data.homing.slowShare));
  const speeds: [string, number][] = [
    ["homingSpeedFast", fast],
    ["homingSpeedSlow", slow],
  ];
  // An array of objects as registers starts with its count and is written whole.
  if (profile.has("homingSpeedCount")) await talk.write([["homingSpeedCount", 2], ...speeds], "prepare");
  else for (const [name, raw] of speeds) await control.set(talk, name, raw);
  if (profile.has("homingAcceleration"))
    await control.set(talk, "homingAcceleration", rawOf(units.ramp(action.acceleration)));
}
