import type { Values } from "../profile/drive-profile.ts";
import type { MotionUnits } from "../profile/motion-units.ts";
import { type DriveFacts, UNKNOWN_FACTS } from "./drive-facts.ts";

export type Cia402State =
  | "not-ready-to-switch-on"
  | "switch-on-disabled"
  | "ready-to-switch-on"
  | "switched-on"
  | "operation-enabled"
  | "quick-stop-active"
  | "fault-reaction-active"
  | "fault"
  | "unknown";

// Mask and value pairs of 0x6041 (IEC 61800-7-201; Synapticon cia402.h). Disjoint: 104 of 128 patterns match none.
const PATTERNS: readonly (readonly [mask: number, value: number, state: Cia402State])[] = [
  [0x4f, 0x00, "not-ready-to-switch-on"],
  [0x4f, 0x40, "switch-on-disabled"],
  [0x6f, 0x21, "ready-to-switch-on"],
  [0x6f, 0x23, "switched-on"],
  [0x6f, 0x27, "operation-enabled"],
  [0x6f, 0x07, "quick-stop-active"],
  [0x4f, 0x0f, "fault-reaction-active"],
  [0x4f, 0x08, "fault"],
];

export const STATUS_BIT = {
  remote: 1 << 9,
  targetReached: 1 << 10,
  internalLimit: 1 << 11,
  modeA: 1 << 12,
  modeB: 1 << 13,
  /** Kinco: the home position has been found. */
  homeFound: 1 << 15,
} as const;
export const MODE = { profilePosition: 1, profileVelocity: 3, homing: 6 } as const;

export function cia402State(statusword: number): Cia402State {
  for (const [mask, value, state] of PATTERNS) if ((statusword & mask) === value) return state;
  return "unknown";
}

/** Homing by bits 13, 12, 10 of the statusword, mask 0x3400 (MR_JE.h; ros2_canopen). Only meaningful in mode 6. */
export function homingPhase(statusword: number): "running" | "attained" | "failed" | "none" {
  if ((statusword & STATUS_BIT.modeB) !== 0) return "failed";
  const attained = (statusword & STATUS_BIT.modeA) !== 0;
  const reached = (statusword & STATUS_BIT.targetReached) !== 0;
  if (attained) return reached ? "attained" : "running";
  return reached ? "none" : "running";
}

/** What the bridge remembers, because the objects do not say it. */
export interface Cia402Memory {
  readonly mode: number | null;
  readonly homed: boolean;
  readonly halted: boolean;
  /** A set-point was given since the drive was enabled: bit 10 speaks of it. */
  readonly commanded: boolean;
  /** Bit 12 says nothing about set-points. */
  readonly noAcknowledge?: boolean;
  /** What a drive that has its own bit for it says about homing; undefined: bits 12 and 13 do. */
  readonly homing?: "none" | "running" | "attained";
}

/** Decodes what was read. A pattern that matches no state leaves everything but the measured values unknown. */
export function cia402Facts(
  values: Values,
  units: MotionUnits,
  memory: Cia402Memory,
  stillCountsPerS: number,
): DriveFacts {
  const rawVelocity = values.get("actualVelocity");
  const velocity = rawVelocity === undefined ? null : units.countsPerS(rawVelocity);
  const torque = values.get("actualTorque");
  const common = {
    ...UNKNOWN_FACTS,
    positionCounts: values.get("actualPosition") ?? null,
    velocityCountsPerS: velocity,
    followingErrorCounts: values.get("followingError") ?? null,
    torque: torque === undefined ? null : torque / 10,
    faultCode: values.get("errorCode") ?? null,
  };
  const statusword = values.get("statusword");
  const state = statusword === undefined ? "unknown" : cia402State(statusword);
  if (statusword === undefined || state === "unknown") return common;
  const enabled = state === "operation-enabled";
  const fast = velocity !== null && Math.abs(velocity) > stillCountsPerS;
  const reached = (statusword & STATUS_BIT.targetReached) !== 0;
  const mode = values.get("modeDisplay") ?? memory.mode;
  const byBits = mode === MODE.homing && enabled ? homingPhase(statusword) : "none";
  const homing = memory.homing ?? byBits;
  const acknowledged = memory.noAcknowledge !== true && (statusword & STATUS_BIT.modeA) !== 0;
  const leaving = memory.commanded && !reached;
  const inPosition = mode !== MODE.profilePosition || memory.halted || !memory.commanded || reached;
  return {
    ...common,
    enabled,
    fault: state === "fault" || state === "fault-reaction-active",
    homed: memory.homed,
    moving: fast || homing === "running",
    busy: fast || homing === "running" || (enabled && !inPosition),
    complete: mode === MODE.homing ? homing === "attained" : reached,
    taken: enabled && mode === MODE.profilePosition ? acknowledged || leaving || unlessSilent(memory) : null,
    homing,
    limit:
      (statusword & STATUS_BIT.internalLimit) !== 0
        ? "the drive reports an internal limit (soft limit or limit switch)"
        : null,
  };
}

/** Where nothing would show that a start was taken, its absence proves nothing. */
const unlessSilent = (memory: Cia402Memory): false | null => (memory.noAcknowledge === true ? null : false);
