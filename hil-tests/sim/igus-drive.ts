import { Cia402Device, type WatchdogQuirks } from "./cia402-device.ts";
import { mode } from "./cia402-motion.ts";
import { controlBit, statusBit } from "./cia402-state.ts";
import type { DriveRecord } from "./drive-record.ts";
import { igusObject } from "./igus-objects.ts";
import { exceptionPdu } from "./modbus-pdu.ts";
import { benchPlant, Motor, type PlantConfig } from "./motor.ts";
import { type MrJeCQuirks, mrJeCDefaults } from "./mr-je-c-cycle.ts";
import { object } from "./mr-je-c-objects.ts";
import { type Exception, exceptionCode } from "./register-bank.ts";
import type { DriveState, SimulatedDrive } from "./simulated-drive.ts";

/** Where no page of the dryve D1 manual settles it; the defaults are the harsher reading for a master. */
export interface IgusQuirks {
  /** Bit 12 shows a taken set-point for so long, then clears itself. */
  ackHoldMs: number;
  /** 6061 goes on showing the old mode for so long. */
  modeStaleMs: number;
  /** So many reads of four bytes are answered with two. */
  shortAnswers: number;
  /** Input DI7 is low: bit 9 of the statusword is 0 and no transition happens. */
  enableInputLow: boolean;
}
const igusDefaults: IgusQuirks = { ackHoldMs: 15, modeStaleMs: 150, shortAnswers: 0, enableInputLow: false };

/** A belt axis of 1 m, 54 mm a turn; one count is 0.01 mm. Overridden per drive in LINKS.yaml. */
const igusPlant: PlantConfig = {
  ...benchPlant,
  startAt: 2000,
  homeSwitch: { at: 0, width: 400 },
  limitSwitches: { negative: -1000, positive: 105_000 },
  hardStops: { negative: -1500, positive: 106_000 },
  countsPerRevolution: 5400,
  ratedAcceleration: 1_000_000,
};
const presets: ReadonlyMap<number, readonly number[]> = new Map([
  [object.followingErrorWindow, [1000]],
  [object.positionWindow, [5]],
  [object.homingMethod, [27]],
  [object.homingSpeeds, [10_000, 1000]],
  [object.homingAcceleration, [100_000]],
  [object.profileVelocity, [10_000]],
  [object.profileAcceleration, [100_000]],
  [object.profileDeceleration, [100_000]],
  [object.quickStopDeceleration, [500_000]],
]);

const MEI = 0x2b;
const MEI_CANOPEN = 0x0d;
/** Function, MEI type, direction, reserved, node, index, sub-index, three reserved, byte count. */
const PDU_BYTES = 12;
const DATA_AT = 12;
const HOMING_DONE = 1;
const HOMING_RUNS = 0x23;
const DI7 = 1 << 22;

/** An igus dryve D1: CiA 402 objects in telegrams of function 43 with exact lengths; no register access at all. */
export class IgusDrive implements SimulatedDrive {
  readonly model = "igus-dryve-d1";
  readonly id: string;
  readonly unit: number;
  readonly functions: ReadonlySet<number> = new Set([MEI]);
  readonly messageBytesMax = 256;
  readonly answersBadCrc = false;
  /** One TCP client at a time. */
  readonly clientsMax = 1;
  readonly #device: Cia402Device;
  readonly #quirks: IgusQuirks;
  #shownMode = 1;
  #modeChangedS: number | undefined;
  #ackSinceS: number | undefined;

  constructor(
    id: string,
    unit: number,
    plant: Partial<PlantConfig> = {},
    quirks: Partial<IgusQuirks & MrJeCQuirks & WatchdogQuirks> = {},
  ) {
    this.id = id;
    this.unit = unit;
    this.#quirks = { ...igusDefaults, ...quirks };
    this.#device = new Cia402Device(new Motor({ ...igusPlant, ...plant }), { ...mrJeCDefaults, ...quirks });
    this.#device.preset(presets);
    this.#device.onStep = (nowS) => this.#step(nowS);
  }

  get motor(): Motor {
    return this.#device.motor;
  }

  get record(): DriveRecord {
    return this.#device.record;
  }

  get answering(): boolean {
    return this.#device.answering;
  }

  advance(nowNs: bigint): void {
    this.#device.advance(nowNs);
  }

  state(): DriveState {
    return this.#device.state();
  }

  powerCycle(): void {
    this.#device.powerCycle();
    this.#shownMode = this.#device.objects.get(object.modeDisplay);
  }

  /** Input DI7; dropped under way it takes the torque away. */
  set enableInput(high: boolean) {
    this.#quirks.enableInputLow = !high;
    if (!high) this.#device.write(object.controlword, [0]);
  }

  // Plain functions 03 and 06 do not reach the objects (manual V2.4, p. 104): the functions above do not name them.
  readRun(): Exception {
    return { exception: exceptionCode.wrongFunction };
  }

  writeRun(): Exception {
    return { exception: exceptionCode.wrongFunction };
  }

  answerOwn(pdu: Buffer): Buffer {
    const code = this.#refusal(pdu);
    if (code !== undefined) return exceptionPdu(MEI, code);
    const writes = pdu[2] === 1;
    this.#device.heard(writes ? "write" : "read");
    return writes ? this.#write(pdu) : this.#read(pdu);
  }

  /** Lengths and sizes are strict: what does not fit is exception 03, an unknown object 02. */
  #refusal(pdu: Buffer): number | undefined {
    if (pdu[1] !== MEI_CANOPEN) return exceptionCode.wrongFunction;
    if (pdu.length < PDU_BYTES || (pdu[2] ?? 0) > 1) return exceptionCode.wrongValue;
    const place = placeOf(pdu);
    if (!place) return exceptionCode.wrongAddress;
    const count = pdu[11] ?? 0;
    const length = PDU_BYTES + (pdu[2] === 1 ? count : 0);
    const reserved = [pdu[3], pdu[4], pdu[8], pdu[9], pdu[10]].some((byte) => byte !== 0);
    if (count !== place.bytes || pdu.length !== length || reserved) return exceptionCode.wrongValue;
    // Which code the real drive gives to a write of 6098 has not been measured.
    return pdu[2] === 1 && place.access === "ro" ? exceptionCode.deviceFailure : undefined;
  }

  #read(pdu: Buffer): Buffer {
    const place = placeOf(pdu) ?? { index: 0, entry: 0, bytes: 1 as const };
    const short = place.bytes === 4 && this.#quirks.shortAnswers > 0;
    if (short) this.#quirks.shortAnswers--;
    const bytes = short ? 2 : place.bytes;
    const data = Buffer.alloc(4);
    data.writeInt32LE(this.#shown(place.index, place.entry) | 0);
    const head = Buffer.from(pdu.subarray(0, DATA_AT));
    head[DATA_AT - 1] = bytes;
    return Buffer.concat([head, data.subarray(0, bytes)]);
  }

  #write(pdu: Buffer): Buffer {
    const place = placeOf(pdu);
    const value = pdu.readIntLE(DATA_AT, place?.bytes ?? 1);
    const head = Buffer.from(pdu.subarray(0, DATA_AT));
    head[DATA_AT - 1] = 0;
    if (!place) return head;
    if (!this.#device.inRange(place.index, [value])) return exceptionPdu(MEI, exceptionCode.wrongValue);
    if (place.index === object.controlword) this.#device.write(place.index, [this.#allowed(value & 0xffff)]);
    else {
      const entries = [...this.#device.objects.all(place.index)];
      entries[place.entry] = value;
      this.#device.write(place.index, entries);
    }
    return head;
  }

  /** Without DI7 no transition; an absolute target below 0 is not started. */
  #allowed(word: number): number {
    if (this.#quirks.enableInputLow) return 0;
    const absolute = (word & controlBit.relative) === 0;
    const profile = this.#device.objects.get(object.modeDisplay) === mode.profilePosition;
    const below = this.#device.objects.get(object.targetPosition) < 0;
    return profile && absolute && below ? word & ~controlBit.start : word;
  }

  #shown(index: number, entry: number): number {
    const { cycle } = this.#device;
    if (index === object.statusword) return this.#statusword();
    if (index === object.modeDisplay) return this.#mode();
    if (index === igusObject.homingStatus)
      return cycle.motion.homingRuns ? HOMING_RUNS : cycle.motion.homed ? HOMING_DONE : 0;
    const value = this.#device.live(index, entry);
    return index === object.digitalInputs && !this.#quirks.enableInputLow ? value | DI7 : value;
  }

  #statusword(): number {
    const word = this.#device.live(object.statusword);
    const profile = this.#device.objects.get(object.modeDisplay) === mode.profilePosition;
    const { ackHoldMs, enableInputLow } = this.#quirks;
    // The words seen on the wire (0640, 0621, 0623, 0627, 0608) carry bit 10 outside of motion and never bit 4.
    const reached = this.#device.cycle.state === "operation-enabled" ? 0 : statusBit.targetReached;
    const cleared = this.#ackSinceS !== undefined && (this.#device.nowS - this.#ackSinceS) * 1000 > ackHoldMs;
    const hidden = (profile && cleared ? statusBit.modeA : 0) | (enableInputLow ? statusBit.remote : 0);
    return (word | reached) & ~(hidden | statusBit.voltageEnabled);
  }

  #step(nowS: number): void {
    const acknowledged = (this.#device.live(object.statusword) & statusBit.modeA) !== 0;
    this.#ackSinceS = acknowledged ? (this.#ackSinceS ?? nowS) : undefined;
    const now = this.#device.objects.get(object.modeDisplay);
    this.#modeChangedS = now === this.#shownMode ? undefined : (this.#modeChangedS ?? nowS);
  }

  #mode(): number {
    const sinceS = this.#modeChangedS ?? this.#device.nowS;
    if ((this.#device.nowS - sinceS) * 1000 >= this.#quirks.modeStaleMs && this.#modeChangedS !== undefined)
      this.#shownMode = this.#device.objects.get(object.modeDisplay);
    return this.#shownMode;
  }
}

const placeOf = (pdu: Buffer) => igusObject.at(pdu.readUInt16BE(5), pdu[7] ?? 0);
