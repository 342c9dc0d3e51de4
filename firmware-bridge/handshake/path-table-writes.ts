import type { OrderAction } from "@servofleet/contracts";
import type { DriveValue, MotionUnits } from "../profile/motion-units.ts";
import type { ProfileData } from "../profile/profile-schema.ts";

type Entries = readonly (readonly [name: string, raw: number])[];
/** What has to be written, or why the drive cannot do it. */
export type PathWrite = { readonly prepare: Entries; readonly decisive: Entries } | { readonly trouble: string };
type Action<K extends OrderAction["kind"]> = Extract<OrderAction, { kind: K }>;

/** Mode word of a path, bits 0-3 and INS (iCL-RS manual, path table). */
const POSITION = 1;
const VELOCITY = 2;
export const PATH_INTERRUPTS = 1 << 4;
/** Run path 0, as the last word of the block: the immediate trigger. */
const RUN_PATH_0 = 0x010;
const START_HOMING = 0x020;
/** Method words from here on are triggers of 0x6002 (0x021: current position becomes 0), below they are 0x600A. */
const FIRST_TRIGGER = 0x010;

/** One FC10 of 8 registers at 0x6200 that ends in the trigger: written whole or not at all, and it moves at once. */
export function movePath(action: Action<"move-absolute">, units: MotionUnits, modeBits: number): PathWrite {
  return path(POSITION | modeBits, action.targetCounts, action, units);
}

export function velocityPath(action: Action<"move-velocity">, units: MotionUnits, modeBits: number): PathWrite {
  return path(VELOCITY | modeBits, 0, action, units);
}

function path(
  mode: number,
  position: number,
  rates: { readonly velocity: number; readonly acceleration: number; readonly deceleration: number },
  units: MotionUnits,
): PathWrite {
  const speed = units.speed(rates.velocity);
  const acceleration = units.ramp(rates.acceleration);
  const deceleration = units.ramp(rates.deceleration);
  const trouble = firstTrouble(speed, acceleration, deceleration) ?? positionTrouble(position);
  if (trouble !== undefined || !("raw" in speed) || !("raw" in acceleration) || !("raw" in deceleration)) {
    return { trouble: trouble ?? "" };
  }
  return {
    prepare: [],
    decisive: [
      ["pathMode", mode],
      ["pathPosition", position],
      ["pathSpeed", speed.raw],
      ["pathAcceleration", acceleration.raw],
      ["pathDeceleration", deceleration.raw],
      ["pathPause", 0],
      ["pathTrigger", RUN_PATH_0],
    ],
  };
}

/** Homing block 0x600A to 0x6012 in one write, then the start; methods 35 and 37 only set the position to 0. */
export function homingWrite(action: Action<"home">, units: MotionUnits, profile: ProfileData): PathWrite {
  const word = profile.homingMethods[String(action.method)];
  if (word === undefined) {
    const known = Object.keys(profile.homingMethods).join(", ");
    return { trouble: `homing method ${action.method} is not one the drive has (${known})` };
  }
  if (word >= FIRST_TRIGGER) {
    if (action.offsetCounts !== 0)
      return { trouble: `homing method ${action.method} sets the position to 0 and takes no offset` };
    return { prepare: [], decisive: [["trigger", word]] };
  }
  const fast = units.speed(action.velocity);
  const ramp = units.ramp(action.acceleration);
  const trouble = firstTrouble(fast, ramp) ?? positionTrouble(action.offsetCounts);
  if (trouble !== undefined || !("raw" in fast) || !("raw" in ramp)) return { trouble: trouble ?? "" };
  return {
    prepare: [
      ["homingMode", word],
      ["homePosition", action.offsetCounts],
      ["homeStopPosition", action.offsetCounts],
      ["homeFastSpeed", fast.raw],
      ["homeSlowSpeed", Math.max(1, Math.floor(fast.raw * profile.homing.slowShare))],
      ["homeAcceleration", ramp.raw],
      ["homeDeceleration", ramp.raw],
    ],
    decisive: [["trigger", START_HOMING]],
  };
}

const firstTrouble = (...values: readonly DriveValue[]): string | undefined =>
  values.find((value) => "trouble" in value)?.trouble;

const positionTrouble = (counts: number): string | undefined =>
  Number.isInteger(counts) && counts >= -0x8000_0000 && counts <= 0x7fff_ffff
    ? undefined
    : `position ${counts} does not fit the drive's 32 bits`;
