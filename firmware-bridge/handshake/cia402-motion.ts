import type { OrderAction } from "@servofleet/contracts";
import type { DriveValue, MotionUnits } from "../profile/motion-units.ts";
import { type Cia402Control, CONTROL } from "./cia402-control.ts";
import { cia402State, MODE, STATUS_BIT } from "./cia402-status.ts";
import type { DriveFacts } from "./drive-facts.ts";
import { type DriveTalk, HandshakeError } from "./drive-talk.ts";

type Action<K extends OrderAction["kind"]> = Extract<OrderAction, { kind: K }>;

/**
 * Profile position handshake (CiA 402; ros2_canopen profiled_position_mode.hpp): mode in force, parameters, target,
 * bit 4 low and SW12 = 0, rising edge with change set immediately, SW12 = 1 or a fresh SW10 = 0, bit 4 low again.
 */
export async function startMove(
  action: Action<"move-absolute">,
  control: Cia402Control,
  units: MotionUnits,
  talk: DriveTalk,
  facts: DriveFacts,
  acknowledged: () => void,
): Promise<void> {
  const { acceptMs } = control.profile.data.timeouts;
  await needEnabled(control, talk);
  await changeMode(MODE.profilePosition, control, talk, facts);
  if (control.startBit) await control.write(talk, control.halted ? CONTROL.halted : CONTROL.enableOperation, "prepare");
  await setRates(action, control, units, talk);
  await talk.write([["targetPosition", action.targetCounts]], "prepare");
  let reachedBefore = false;
  // Also the barrier that lets a drive cycle pass between the target and the edge.
  await talk.waitFor(["statusword"], acceptMs, "set-point acknowledge to be low", (values) => {
    const word = values.get("statusword") ?? 0;
    reachedBefore = (word & STATUS_BIT.targetReached) !== 0;
    return (word & STATUS_BIT.modeA) === 0;
  });
  // Releases a halt in the same word, so that the halted move cannot go on.
  await control.write(talk, CONTROL.newSetPoint, "decisive");
  control.commanded = true;
  await talk.waitFor(["statusword"], acceptMs, "the drive to take the set-point", (values) => {
    const word = values.get("statusword") ?? 0;
    needState(word);
    // A target reached that is still 1 may be the last move's: only its fall proves something.
    return (word & STATUS_BIT.modeA) !== 0 || (reachedBefore && (word & STATUS_BIT.targetReached) === 0);
  });
  acknowledged();
  await control.write(talk, CONTROL.enableOperation, "after");
}

/** Profile velocity: the mode is entered with 60FF = 0, then 60FF is the decisive write. */
export async function startVelocity(
  action: Action<"move-velocity">,
  control: Cia402Control,
  units: MotionUnits,
  talk: DriveTalk,
  facts: DriveFacts,
  acknowledged: () => void,
): Promise<void> {
  await needEnabled(control, talk);
  await setRates(action, control, units, talk);
  if (control.mode !== MODE.profileVelocity || control.halted) await talk.write([["targetVelocity", 0]], "prepare");
  await changeMode(MODE.profileVelocity, control, talk, facts);
  if (control.startBit || control.halted) await control.write(talk, CONTROL.enableOperation, "prepare");
  await talk.write([["targetVelocity", rawOf(units.speed(action.velocity))]], "decisive");
  control.commanded = true;
  acknowledged();
}

/** Homing mode: method, offset and rates where the profile has them, then bit 4 rising and held. */
export async function startHoming(
  action: Action<"home">,
  control: Cia402Control,
  units: MotionUnits,
  talk: DriveTalk,
  facts: DriveFacts,
  acknowledged: () => void,
): Promise<void> {
  const { profile } = control;
  await needEnabled(control, talk);
  // Leaving and entering the mode clears what the last homing run left in bits 12 and 13.
  if (control.mode === MODE.homing) await changeMode(MODE.profilePosition, control, talk, facts);
  await control.set(talk, "homingMethod", profile.data.homingMethods[String(action.method)] ?? action.method);
  if (profile.has("homeOffset")) await control.set(talk, "homeOffset", action.offsetCounts);
  if (profile.has("homingSpeedFast")) {
    const fast = rawOf(units.speed(action.velocity));
    const slow = Math.max(1, Math.floor(fast * profile.data.homing.slowShare));
    await talk.write(
      [
        ["homingSpeedCount", 2],
        ["homingSpeedFast", fast],
        ["homingSpeedSlow", slow],
      ],
      "prepare",
    );
    await control.set(talk, "homingAcceleration", rawOf(units.ramp(action.acceleration)));
  }
  await changeMode(MODE.homing, control, talk, facts);
  if (control.startBit || control.halted) await control.write(talk, CONTROL.enableOperation, "prepare");
  await control.write(talk, CONTROL.startHoming, "decisive");
  acknowledged();
}

async function needEnabled(control: Cia402Control, talk: DriveTalk): Promise<void> {
  needState((await talk.read("statusword")).get("statusword") ?? 0);
  control.mode = (await talk.read("modeDisplay")).get("modeDisplay") ?? null;
}

function needState(statusword: number): void {
  const state = cia402State(statusword);
  if (state === "fault" || state === "fault-reaction-active")
    throw new HandshakeError("fault", { state }, "the drive is in fault");
  if (state !== "operation-enabled") {
    throw new HandshakeError("not-ready", { state }, `the drive is in state ${state}, not in Operation enabled`);
  }
}

/** A mode is in force only when 6061 shows it (Danaher S200 p. 74), and some drives refuse the change in motion. */
async function changeMode(mode: number, control: Cia402Control, talk: DriveTalk, facts: DriveFacts): Promise<void> {
  if (control.mode === mode) return;
  const { modeMs, standstillMs } = control.profile.data.timeouts;
  const still = control.profile.data.settle.stillCountsPerS;
  if (facts.moving !== false || facts.busy !== false) {
    await control.write(talk, CONTROL.halted, "interrupts");
    await talk.waitFor(
      ["actualVelocity"],
      standstillMs,
      "standstill before the change of mode",
      (values) => Math.abs(values.get("actualVelocity") ?? 0) <= still,
    );
  }
  await talk.write([["mode", mode]], "prepare");
  await talk.waitFor(["modeDisplay"], modeMs, `mode ${mode} in force`, (values) => values.get("modeDisplay") === mode);
  control.mode = mode;
  control.commanded = false;
}

async function setRates(
  rates: { readonly velocity: number; readonly acceleration: number; readonly deceleration: number },
  control: Cia402Control,
  units: MotionUnits,
  talk: DriveTalk,
): Promise<void> {
  if (!("minCounts" in rates)) await control.set(talk, "profileVelocity", rawOf(units.speed(rates.velocity)));
  await control.set(talk, "profileAcceleration", rawOf(units.ramp(rates.acceleration)));
  await control.set(talk, "profileDeceleration", rawOf(units.ramp(rates.deceleration)));
}

function rawOf(value: DriveValue): number {
  if ("raw" in value) return value.raw;
  throw new HandshakeError("unsupported", {}, value.trouble);
}
