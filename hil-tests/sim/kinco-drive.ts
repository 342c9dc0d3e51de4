import type { Cia402Device, WatchdogQuirks } from "./cia402-device.ts";
import { mode } from "./cia402-motion.ts";
import { Cia402RegisterDrive, type RegisterFace, type RegisterPlace } from "./cia402-register-drive.ts";
import { statusBit } from "./cia402-state.ts";
import type { PlantConfig } from "./motor.ts";
import type { MrJeCQuirks } from "./mr-je-c-cycle.ts";
import { servoPlant } from "./mr-je-c-drive.ts";
import { object } from "./mr-je-c-objects.ts";

/** Where no page of a Kinco manual was found to settle it; the defaults are the harsher reading for a master. */
export interface KincoQuirks {
  /** Bit 15 stays up from the first home position on, also while a new run is under way. */
  homeFoundSticks: boolean;
  /** Bit 12 acknowledges a set-point as CiA 402 says. */
  acknowledges: boolean;
}
const kincoDefaults: KincoQuirks = { homeFoundSticks: true, acknowledges: false };

/** counts/s of one DEC of speed, rpm x 512 x resolution / 1875, and counts/s2 of one DEC of acceleration (FD5P manual). */
const SPEED_DEC = 1875 / (512 * 60);
const ACCELERATION_DEC = 4_000_000 / 65_536;
const HOME_FOUND = 1 << 15;
/** Set in both words that the manual prints, 0xC437 and 0xC031. */
const ALWAYS = 1 << 14;

/** A 16-bit servo of 50 revolutions each way; overridden per drive in LINKS.yaml. */
const kincoPlant: PlantConfig = {
  ...servoPlant,
  countsPerRevolution: 65_536,
  homeSwitch: { at: -250_000, width: 25_000 },
  limitSwitches: { negative: -3_300_000, positive: 3_300_000 },
  hardStops: { negative: -3_500_000, positive: 3_500_000 },
};

const place = (index: number, words: 1 | 2, access: "rw" | "ro", entry = 0): RegisterPlace => ({
  index,
  words,
  access,
  entry,
});
// Kinco FD5P manual, pp. 135-140; the deceleration at 0x4C00 is not proven, so the simulated drive refuses it.
const layout: ReadonlyMap<number, RegisterPlace> = new Map([
  [0x3100, place(object.controlword, 1, "rw")],
  [0x3200, place(object.statusword, 1, "ro")],
  [0x3500, place(object.mode, 1, "rw")],
  [0x3700, place(object.positionActual, 2, "ro")],
  [0x3b00, place(object.velocityActual, 2, "ro")],
  [0x4000, place(object.targetPosition, 2, "rw")],
  [0x4a00, place(object.profileVelocity, 2, "rw")],
  [0x4b00, place(object.profileAcceleration, 2, "rw")],
  [0x4d00, place(object.homingMethod, 1, "rw")],
  [0x5010, place(object.homingSpeeds, 2, "rw", 0)],
  [0x5020, place(object.homingSpeeds, 2, "rw", 1)],
  [0x6f00, place(object.targetVelocity, 2, "rw")],
]);

/** The statusword with bit 15 for the home position, and bit 12 only where a quirk says so. */
function kincoFace(quirks: KincoQuirks, everHomed: { since: boolean }): RegisterFace {
  const status = (word: number, device: Cia402Device): number => {
    const { homed } = device.cycle.motion;
    const inProfile = device.objects.get(object.modeDisplay) === mode.profilePosition;
    everHomed.since ||= homed;
    const found = quirks.homeFoundSticks ? everHomed.since : homed;
    const hidden = inProfile && quirks.acknowledges ? 0 : statusBit.modeA | statusBit.modeB;
    return (word & ~hidden) | ALWAYS | (found ? HOME_FOUND : 0);
  };
  return {
    model: "kinco-fd",
    functions: [0x03, 0x06, 0x10],
    lowWordFirst: true,
    layout,
    readErrorFunction: 0x81,
    status,
  };
}

/** A Kinco FD servo: CiA 402 under register numbers of its own, two-step start words, read errors as function 0x81. */
export class KincoDrive extends Cia402RegisterDrive {
  readonly #everHomed: { since: boolean };

  constructor(
    id: string,
    unit: number,
    plant: Partial<PlantConfig> = {},
    quirks: Partial<KincoQuirks & MrJeCQuirks & WatchdogQuirks> = {},
  ) {
    const units = { velocityUnit: SPEED_DEC, accelerationUnit: ACCELERATION_DEC };
    const { homeFoundSticks, acknowledges } = { ...kincoDefaults, ...quirks };
    const everHomed = { since: false };
    const face = kincoFace({ homeFoundSticks, acknowledges }, everHomed);
    super(id, unit, face, { ...kincoPlant, ...plant }, { ...units, ...quirks });
    this.#everHomed = everHomed;
  }

  override powerCycle(): void {
    this.#everHomed.since = false;
    super.powerCycle();
  }
}
