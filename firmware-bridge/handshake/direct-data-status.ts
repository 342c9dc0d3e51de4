import type { Values } from "../profile/drive-profile.ts";
import { type DriveFacts, UNKNOWN_FACTS } from "./drive-facts.ts";

/** Bits of the driver input 0x007D: levels, written on and later off again (AZ, I/O commands). */
export const INPUT = { home: 1 << 4, stop: 1 << 5, free: 1 << 6, alarmReset: 1 << 7 } as const;

/** Bits of the driver output 0x007F. HOME-END is only believed when the profile switches it on. */
export const OUTPUT = {
  homeEnd: 1 << 4,
  ready: 1 << 5,
  alarm: 1 << 7,
  busy: 1 << 8,
  move: 1 << 13,
  inPosition: 1 << 14,
} as const;

/** What the registers do not tell, and which inferred bits the profile believes in. */
export interface DirectDataMemory {
  readonly homed: boolean;
  readonly homingRuns: boolean;
  readonly positionWindowCounts: number;
  readonly believesInPosition: boolean;
  readonly believesHomeEnd: boolean;
}

export const outputHas = (values: Values, bit: number): boolean => ((values.get("driverOutput") ?? 0) & bit) !== 0;

/** Decodes what was read. Steps are counts and Hz are counts/s: the drive converts nothing. */
export function directDataFacts(values: Values, memory: DirectDataMemory): DriveFacts {
  const position = values.get("actualPosition") ?? null;
  const command = values.get("commandPosition");
  const torque = values.get("actualTorque");
  const common = {
    ...UNKNOWN_FACTS,
    positionCounts: position,
    velocityCountsPerS: values.get("actualVelocity") ?? null,
    followingErrorCounts: position === null || command === undefined ? null : command - position,
    torque: torque === undefined ? null : torque / 10,
    faultCode: values.get("alarm") ?? null,
  };
  const output = values.get("driverOutput");
  const input = values.get("driverInput");
  if (output === undefined || input === undefined) return common;
  const fault = (output & OUTPUT.alarm) !== 0;
  const moving = (output & OUTPUT.move) !== 0;
  const busy = moving || (output & OUTPUT.busy) !== 0;
  return {
    ...common,
    // FREE takes the current from the motor, and so does an alarm.
    enabled: (input & INPUT.free) === 0 && !fault,
    fault,
    moving,
    busy,
    complete: !busy && (!memory.believesInPosition || (output & OUTPUT.inPosition) !== 0),
    taken: moving,
    ...homing(memory, output, busy || fault, position),
  };
}

function homing(
  memory: DirectDataMemory,
  output: number,
  goesOn: boolean,
  position: number | null,
): Pick<DriveFacts, "homing" | "homed"> {
  const homeEnd = (output & OUTPUT.homeEnd) !== 0;
  const homed = memory.believesHomeEnd ? homeEnd : memory.homed;
  if (!memory.homingRuns) return { homing: homed ? "attained" : "none", homed };
  const atHome = position !== null && Math.abs(position) <= memory.positionWindowCounts;
  const attained = !goesOn && atHome && (!memory.believesHomeEnd || homeEnd);
  return { homing: attained ? "attained" : goesOn ? "running" : "none", homed: attained };
}
