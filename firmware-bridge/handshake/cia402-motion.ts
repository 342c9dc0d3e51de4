import type { OrderAction } from "@servofleet/contracts";
import type { DriveValue, MotionUnits } from "../profile/motion-units.ts";
import { type Cia402Control, CONTROL } from "./cia402-control.ts";
import { changeMode } from "./cia402-mode.ts";
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
  await needEnabled(control, talk);
  await changeMode(MODE.profilePosition, control, talk, facts);
  await lowerStart(control, talk);
  await setRates(action, control, units, talk);
  await talk.write([["targetPosition", action.targetCounts]], "prepare");
  const before = await beforeStart(action.targetCounts, control, talk);
  await talk.pause(control.dialect.startPauseMs);
  // Releases a halt in the same word, so that the halted move cannot go on.
  await control.write(talk, control.words.start, "decisive");
  control.commanded = true;
  await proveStart(before, control, talk);
  acknowledged();
  await control.write(talk, control.words.low, "after");
}

/** Bit 4 must be seen low before it rises; a halt stays until the start takes its place. */
async function lowerStart(control: Cia402Control, talk: DriveTalk): Promise<void> {
  const low = control.mayBeHalted && control.canHalt ? control.words.low | CONTROL.haltBit : control.words.low;
  if (control.startBit || (control.dialect.twoStep && control.word !== low)) await control.write(talk, low, "prepare");
}

interface BeforeStart {
  /** Bit 10 was set: only its fall proves something. */
  readonly reached: boolean;
  /** The axis stands at its target already, so that nothing may change. */
  readonly there: boolean;
}

async function beforeStart(targetCounts: number, control: Cia402Control, talk: DriveTalk): Promise<BeforeStart> {
  const { setPointAcknowledge } = control.dialect;
  const { timeouts, settle } = control.profile.data;
  if (setPointAcknowledge === "none") return { reached: false, there: false };
  let reached = false;
  // Also the barrier that lets a drive cycle pass between the target and the edge.
  await talk.waitFor(["statusword"], timeouts.acceptMs, "set-point acknowledge to be low", (values) => {
    const word = values.get("statusword") ?? 0;
    reached = (word & STATUS_BIT.targetReached) !== 0;
    return (word & STATUS_BIT.modeA) === 0;
  });
  if (setPointAcknowledge === "held") return { reached, there: false };
  const position = (await talk.read("actualPosition")).get("actualPosition") ?? Number.NaN;
  return { reached, there: reached && Math.abs(position - targetCounts) <= settle.positionWindowCounts };
}

/** Waits for the drive's own word that it has taken the set-point. */
async function proveStart(before: BeforeStart, control: Cia402Control, talk: DriveTalk): Promise<void> {
  // A drive without an acknowledge bit proves a start by its motion alone; the answered write is all there is now. One
  // whose bit clears itself may have shown it between two looks, and shows nothing else where there is no way to go.
  if (control.dialect.setPointAcknowledge === "none" || before.there) return;
  const { acceptMs } = control.profile.data.timeouts;
  await talk.waitFor(["statusword"], acceptMs, "the drive to take the set-point", (values) => {
    const word = values.get("statusword") ?? 0;
    needState(word);
    // A target reached that is still 1 may be the last move's: only its fall proves something.
    return (word & STATUS_BIT.modeA) !== 0 || (before.reached && (word & STATUS_BIT.targetReached) === 0);
  });
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
  if (control.knownMode !== MODE.profileVelocity || control.mayBeHalted)
    await talk.write([["targetVelocity", 0]], "prepare");
  await changeMode(MODE.profileVelocity, control, talk, facts);
  if (control.startBit || control.mayBeHalted) await control.write(talk, CONTROL.enableOperation, "prepare");
  await talk.write([["targetVelocity", rawOf(units.speed(action.velocity))]], "decisive");
  control.commanded = true;
  acknowledged();
}

/** Refuses a start on a drive that is not in Operation enabled, before anything is written. */
export async function needEnabled(control: Cia402Control, talk: DriveTalk): Promise<void> {
  needState((await talk.read("statusword")).get("statusword") ?? 0);
  if (control.dialect.modeShown === "in-force")
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

async function setRates(
  rates: { readonly velocity: number; readonly acceleration: number; readonly deceleration: number },
  control: Cia402Control,
  units: MotionUnits,
  talk: DriveTalk,
): Promise<void> {
  if (!("minCounts" in rates)) await control.set(talk, "profileVelocity", rawOf(units.speed(rates.velocity)));
  await control.set(talk, "profileAcceleration", rawOf(units.ramp(rates.acceleration)));
  // Where the profile does not know the register, the drive keeps the deceleration that is set in it.
  if (control.profile.has("profileDeceleration"))
    await control.set(talk, "profileDeceleration", rawOf(units.ramp(rates.deceleration)));
}

/** The raw word, or a refusal with the reason. */
export function rawOf(value: DriveValue): number {
  if ("raw" in value) return value.raw;
  throw new HandshakeError("unsupported", {}, value.trouble);
}
