import { mode } from "./cia402-motion.ts";
import { commandOf, controlBit } from "./cia402-state.ts";
import { causeOf, DriveRecord, type MotionWriteKind } from "./drive-record.ts";
import { benchPlant, Motor, type PlantConfig } from "./motor.ts";
import { MrJeCCycle, type MrJeCQuirks, mrJeCDefaults } from "./mr-je-c-cycle.ts";
import { MrJeCObjects, object, partsOfRun, type RunPart, wordsOf } from "./mr-je-c-objects.ts";
import { type Exception, exceptionCode, i16, i32, words } from "./register-bank.ts";
import { type DriveState, type SimulatedDrive, StepTime } from "./simulated-drive.ts";

const SAVE_SIGNATURE = 0x6576_6173;
const MODES: readonly number[] = [0, 1, 3, 4, 6, -101];

/** A 17-bit servo of +-60 revolutions with all switches; overridden per drive in LINKS.yaml. */
export const servoPlant: PlantConfig = {
  ...benchPlant,
  homeSwitch: { at: -500_000, width: 50_000 },
  limitSwitches: { negative: -7_900_000, positive: 7_900_000 },
  hardStops: { negative: -8_300_000, positive: 8_300_000 },
  countsPerRevolution: 131_072,
  ratedAcceleration: 40_000_000,
  friction: 1e-6,
};

/**
 * A Mitsubishi MR-JE-C: CiA 402 objects as Modbus registers, address = object index, low word first, functions 03, 08
 * and 10h only, and its rule for runs: no exception as long as one register of the run can be accessed.
 */
export class MrJeCDrive implements SimulatedDrive {
  readonly model = "mitsubishi-mr-je-c";
  readonly id: string;
  readonly unit: number;
  readonly functions: ReadonlySet<number> = new Set([0x03, 0x08, 0x10]);
  readonly messageBytesMax = 256;
  readonly answersBadCrc = false;
  readonly motor: Motor;
  readonly record = new DriveRecord();
  readonly #objects = new MrJeCObjects();
  readonly #quirks: MrJeCQuirks;
  readonly #cycle: MrJeCCycle;
  readonly #time = new StepTime();
  #nowNs = 0n;
  #bootUntilS = 0;
  #controlword = 0;
  #peakLoad = 0;

  constructor(id: string, unit: number, plant: Partial<PlantConfig> = {}, quirks: Partial<MrJeCQuirks> = {}) {
    this.id = id;
    this.unit = unit;
    this.motor = new Motor({ ...servoPlant, ...plant });
    this.#quirks = { ...mrJeCDefaults, ...quirks };
    this.#cycle = new MrJeCCycle(this.motor, this.#objects, this.#quirks);
  }

  get answering(): boolean {
    return this.#time.nowS >= this.#bootUntilS;
  }

  advance(nowNs: bigint): void {
    this.#nowNs = nowNs;
    const idle = () => this.motor.idle && this.#cycle.idle;
    this.#time.advance(nowNs, idle, () => {
      this.motor.step();
      this.#cycle.step(this.#time.nowS);
      this.#peakLoad = Math.max(this.#peakLoad, Math.abs(this.motor.torque));
    });
  }

  state(): DriveState {
    const { state, motion } = this.#cycle;
    return {
      state: this.answering ? state : "not-ready-to-switch-on",
      enabled: this.motor.powered,
      homed: motion.homed,
      moving: !this.motor.demand.atRest || Math.abs(this.motor.velocity) > 50,
      alarm: this.#objects.get(object.errorCode),
      position: motion.actual,
    };
  }

  powerCycle(): void {
    this.#objects.reload();
    this.#cycle.restart();
    this.#controlword = 0;
    this.#peakLoad = 0;
    this.#bootUntilS = this.#time.nowS + this.#quirks.bootMs / 1000;
  }

  readRun(address: number, count: number): readonly number[] | Exception {
    const parts = partsOfRun(address, count);
    if (!parts.some((part) => part.rule)) return { exception: exceptionCode.wrongAddress };
    return parts.flatMap((part) => this.#readPart(part));
  }

  writeRun(address: number, values: readonly number[]): Exception | undefined {
    const parts = partsOfRun(address, values.length).filter((part) => part.rule?.access === "rw");
    if (parts.length === 0) return { exception: exceptionCode.wrongAddress };
    const writes = parts.map((part) => ({
      index: part.address,
      values: decode(part, values.slice(part.address - address)),
    }));
    const wrong = writes.some((write) => write.values === undefined || !this.#inRange(write.index, write.values));
    if (wrong) return { exception: exceptionCode.wrongValue };
    for (const write of writes) this.#write(write.index, write.values ?? []);
    return undefined;
  }

  #readPart(part: RunPart): number[] {
    const { rule } = part;
    if (!rule) return Array.from({ length: part.words }, () => 0);
    const values = rule.array ? this.#objects.all(part.address) : [this.#live(part.address)];
    const body = values.flatMap((value) => (rule.words === 2 ? words(value).reverse() : [value & 0xffff]));
    return (rule.array ? [values.length, ...body] : body).slice(0, part.words);
  }

  #live(index: number): number {
    const { motion, units } = this.#cycle;
    switch (index) {
      case object.statusword:
        return this.#cycle.statusword();
      case object.positionDemand:
        return motion.demand;
      case object.positionActual:
        return motion.actual;
      case object.followingErrorActual:
        return motion.demand - motion.actual;
      case object.velocityDemand:
        return units.velocityOf(this.motor.demand.velocity);
      case object.velocityActual:
        return units.velocityOf(this.motor.velocity);
      case object.torqueActual:
        return Math.round(this.motor.torque * 10);
      case object.torquePercent:
      case object.effectiveLoad:
        return Math.round(Math.abs(this.motor.torque));
      case object.peakLoad:
        return Math.round(this.#peakLoad);
      case object.digitalInputs:
        // CiA 402, 60FD: bit 0 negative limit, bit 1 positive limit, bit 2 home switch.
        return (
          Number(this.motor.negativeLimit) |
          (Number(this.motor.positiveLimit) << 1) |
          (Number(this.motor.homeSwitch) << 2)
        );
      default:
        return this.#objects.get(index);
    }
  }

  #inRange(index: number, values: readonly number[]): boolean {
    return index !== object.mode || MODES.includes(signed8(values[0] ?? 0));
  }

  #write(index: number, values: readonly number[]): void {
    const first = values[0] ?? 0;
    if (index === object.controlword) {
      this.#control(first & 0xffff);
      return;
    }
    if (index === object.save) {
      if (first === SAVE_SIGNATURE) this.#objects.save();
      return;
    }
    this.#objects.set(index, index === object.mode ? [signed8(first)] : values);
    if (index === object.mode) this.#cycle.wantMode(this.#time.nowS);
    const velocityMode = this.#objects.get(object.modeDisplay) === mode.profileVelocity;
    if (index === object.targetVelocity)
      this.#note("velocity", velocityMode && this.motor.powered, first, index, first);
  }

  #control(controlword: number): void {
    const before = this.#controlword;
    const enabledBefore = this.#cycle.state === "operation-enabled";
    const homingBefore = this.#cycle.motion.homingRuns;
    const resumes = enabledBefore && this.#cycle.motion.resumesAfterHalt;
    this.#controlword = controlword;
    this.#objects.set(object.controlword, [controlword]);
    const obeyed = this.#cycle.control(controlword, this.#time.nowS);
    const note = (kind: MotionWriteKind, did: boolean, target: number | null = null) =>
      this.#note(kind, did, target, object.controlword, controlword);
    const rose = (bit: number) => (controlword & ~before & bit) !== 0;
    const fell = (bit: number) => (before & ~controlword & bit) !== 0;

    if (rose(controlBit.faultReset)) note("reset", obeyed);
    if (commandOf(controlword) !== commandOf(before)) this.#noteCommand(controlword, enabledBefore);
    if (rose(controlBit.halt)) note("halt", enabledBefore);
    if (fell(controlBit.halt) && resumes)
      note(this.#modeIs(mode.profileVelocity) ? "velocity" : "start-absolute", true);
    if (fell(controlBit.start) && homingBefore) note("stop", true);
    if (!rose(controlBit.start)) return;
    if (this.#modeIs(mode.homing)) note("home", obeyed);
    else if (!this.#modeIs(mode.profileVelocity)) {
      const relative = (controlword & controlBit.relative) !== 0;
      note(relative ? "start-relative" : "start-absolute", obeyed, this.#objects.get(object.targetPosition));
    }
  }

  #noteCommand(controlword: number, enabledBefore: boolean): void {
    const command = commandOf(controlword);
    const kind = command === "enable-operation" ? "enable" : command === "quick-stop" ? "stop" : "disable";
    // The steps of the enabling sequence are neither; only what takes torque away from a running drive is.
    if (kind !== "enable" && !enabledBefore) return;
    this.#note(kind, this.#cycle.state !== "fault", null, object.controlword, controlword);
  }

  #modeIs(wanted: number): boolean {
    return this.#objects.get(object.modeDisplay) === wanted;
  }

  #note(kind: MotionWriteKind, obeyed: boolean, target: number | null, register: number, value: number): void {
    this.record.add({ atNs: this.#nowNs.toString(), kind, obeyed, target, cause: causeOf(register, value) });
  }
}

/** Low word first; undefined when the run cuts the object or names the wrong entry count. */
function decode(part: RunPart, values: readonly number[]): number[] | undefined {
  const { rule } = part;
  if (!rule || part.words < wordsOf(rule)) return undefined;
  if (rule.array && values[0] !== rule.presets.length) return undefined;
  const body = rule.array ? values.slice(1) : values;
  return rule.presets.map((_, n) => {
    if (rule.words === 1) return i16(body[n] ?? 0);
    return i32(body[2 * n + 1] ?? 0, body[2 * n] ?? 0);
  });
}

function signed8(value: number): number {
  return (value << 24) >> 24;
}
