import type { OrderAction } from "@servofleet/contracts";
import type { DriveValue, MotionUnits } from "../profile/motion-units.ts";

type Entries = readonly (readonly [name: string, raw: number])[];
type Motion = Extract<OrderAction, { kind: "move-absolute" | "move-velocity" }>;

/** What has to be written, or why the drive cannot do it. */
export type DirectWrite = { readonly entries: Entries } | { readonly trouble: string };

/** Operation types (AZ, direct data operation): absolute positioning, continuous operation under position control. */
const ABSOLUTE = 1;
const CONTINUOUS = 7;
/** 0.1 % each: the drive's own current limit stays the one that counts. */
const FULL_CURRENT = 1000;
/** The write itself starts: all data are taken at once. */
const START_ALL = 1;

/** One FC10 of the 16 registers 0x0058 to 0x0067: written whole or not at all, and its last word starts it. */
export function directWrite(action: Motion, units: MotionUnits): DirectWrite {
  const absolute = action.kind === "move-absolute";
  const position = absolute ? action.targetCounts : 0;
  const speed = units.speed(action.velocity);
  const startRate = units.ramp(action.acceleration);
  const stopRate = units.ramp(action.deceleration);
  const trouble = troubleOf(speed) ?? troubleOf(startRate) ?? troubleOf(stopRate) ?? positionTrouble(position);
  if (trouble !== undefined || !("raw" in speed) || !("raw" in startRate) || !("raw" in stopRate)) {
    return { trouble: trouble ?? "" };
  }
  return {
    entries: [
      ["directDataNumber", 0],
      ["directType", absolute ? ABSOLUTE : CONTINUOUS],
      ["directPosition", position],
      // An absolute target already tells the way.
      ["directSpeed", absolute ? Math.abs(speed.raw) : speed.raw],
      ["directStartRate", startRate.raw],
      ["directStopRate", stopRate.raw],
      ["directCurrent", FULL_CURRENT],
      ["directTrigger", START_ALL],
    ],
  };
}

const troubleOf = (value: DriveValue): string | undefined => ("trouble" in value ? value.trouble : undefined);

const positionTrouble = (counts: number): string | undefined =>
  Number.isInteger(counts) && counts >= -0x8000_0000 && counts <= 0x7fff_ffff
    ? undefined
    : `position ${counts} does not fit the drive's 32 bits`;
