import { causeOf, DriveRecord, type MotionWriteKind } from "./drive-record.ts";
import { LeadshineMotion, type LeadshineQuirks, leadshineDefaults } from "./leadshine-motion.ts";
import { LeadshineUnits, pathMode, pathTarget } from "./leadshine-path.ts";
import { LeadshineRegisters, pathCount, reg } from "./leadshine-registers.ts";
import { benchPlant, Motor, type PlantConfig } from "./motor.ts";
import { type Exception, exceptionCode, words } from "./register-bank.ts";
import { type DriveState, type SimulatedDrive, StepTime } from "./simulated-drive.ts";

const SAVE_S = 0.05;

/**
 * A Leadshine iCL-RS (and its PR relatives) as its manual describes it: path table, trigger register with read-back,
 * high word first, exceptions 01, 02, 03 and 08. It has no communication watchdog: what runs keeps running.
 */
export class LeadshineDrive implements SimulatedDrive {
  readonly model = "leadshine-icl-rs";
  readonly id: string;
  readonly unit: number;
  readonly functions: ReadonlySet<number> = new Set([0x03, 0x06, 0x10]);
  readonly messageBytesMax = 200;
  readonly answersBadCrc = true;
  readonly motor: Motor;
  readonly record = new DriveRecord();
  readonly #registers = new LeadshineRegisters();
  readonly #quirks: LeadshineQuirks;
  readonly #motion: LeadshineMotion;
  readonly #units: LeadshineUnits;
  readonly #time = new StepTime();
  #nowNs = 0n;
  #bootUntilS = 0;
  #savedAtS: number | undefined;

  constructor(id: string, unit: number, plant: Partial<PlantConfig> = {}, quirks: Partial<LeadshineQuirks> = {}) {
    this.id = id;
    this.unit = unit;
    this.motor = new Motor({ ...benchPlant, ...plant });
    this.#quirks = { ...leadshineDefaults, ...quirks };
    this.#units = new LeadshineUnits(this.#registers, this.motor.plant);
    this.#motion = new LeadshineMotion(this.motor, this.#registers, this.#quirks);
  }

  get answering(): boolean {
    return this.#time.nowS >= this.#bootUntilS;
  }

  advance(nowNs: bigint): void {
    this.#nowNs = nowNs;
    const idle = () => this.motor.idle && this.#motion.idle;
    this.#time.advance(nowNs, idle, () => {
      this.motor.step();
      this.#motion.step(this.#time.nowS);
      this.#watchFollowingError();
    });
  }

  state(): DriveState {
    const alarm = this.#motion.alarm;
    const enabled = this.motor.powered;
    const state = alarm !== 0 ? "alarm" : this.#motion.homing ? "homing" : this.#motion.running ? "running" : "ready";
    const moving = this.#motion.running || Math.abs(this.motor.velocity) > 1;
    const position = this.#motion.actualPulses;
    return {
      state: enabled || alarm !== 0 ? state : "disabled",
      enabled,
      homed: this.#motion.homed,
      moving,
      alarm,
      position,
    };
  }

  powerCycle(): void {
    this.#registers.reload();
    this.#motion.forget();
    this.#savedAtS = undefined;
    this.#bootUntilS = this.#time.nowS + this.#quirks.bootMs / 1000;
    this.#motion.enable(this.#registers.get(reg.forcedEnable) === 1);
  }

  readRun(address: number, count: number): readonly number[] | Exception {
    if (this.#registers.startsMidPair(address, count)) return { exception: exceptionCode.wrongAddress };
    const values: number[] = [];
    for (let at = address; at < address + count; at++) {
      if (!this.#registers.readable(at)) return { exception: exceptionCode.wrongAddress };
      values.push(this.#read(at));
    }
    return values;
  }

  writeRun(address: number, values: readonly number[]): Exception | undefined {
    if (this.#registers.startsMidPair(address, values.length)) return { exception: exceptionCode.wrongAddress };
    for (const [n, value] of values.entries()) {
      if (!this.#registers.writable(address + n)) return { exception: exceptionCode.wrongAddress };
      if (!this.#registers.inRange(address + n, value)) return { exception: exceptionCode.wrongValue };
    }
    const triggers = values.some((value, n) => isTrigger(address + n, value) && value !== 0x040);
    if (triggers && this.#motion.homing && this.#quirks.duringHoming === "exception") {
      return { exception: exceptionCode.wrongValue };
    }
    for (const [n, value] of values.entries()) this.#write(address + n, value);
    return undefined;
  }

  #read(address: number): number {
    const [high, low] = words(this.#live(address % 2 === 0 ? address : address - 1));
    switch (address) {
      case reg.status:
        return this.#statusBits();
      case reg.alarm:
        return this.#motion.alarm;
      case reg.trigger:
      case reg.path0Special:
        return this.#motion.readback;
      case reg.digitalInputs:
        return (
          Number(this.motor.homeSwitch) |
          (Number(this.motor.positiveLimit) << 1) |
          (Number(this.motor.negativeLimit) << 2)
        );
      case reg.saveStatus:
        return this.#readSaveStatus();
      default:
        if (!isLivePair(address)) return this.#registers.get(address);
        return address % 2 === 0 ? high : low;
    }
  }

  /** The 32-bit measured values, named by their high word. */
  #live(high: number): number {
    const rpm = (speed: number) => this.#units.rpm(speed);
    switch (high) {
      case reg.followingError:
        return Math.round(this.motor.followingError / this.#motion.scale);
      case reg.profilePosition:
      case reg.commandPosition:
        return this.#motion.commandPulses;
      case reg.actualPosition:
        return this.#motion.actualPulses;
      case reg.feedbackPosition: {
        const turns = this.#motion.actualPulses / this.#registers.get(reg.pulsesPerRevolution);
        return Math.round(turns * this.#quirks.feedbackCountsPerRevolution);
      }
      case reg.profileVelocity:
        return rpm(this.motor.demand.velocity);
      case reg.feedbackVelocity:
        return rpm(this.motor.velocity);
      default:
        return 0;
    }
  }

  #statusBits(): number {
    const motion = this.#motion;
    const bits = [
      motion.alarm !== 0,
      this.motor.powered,
      motion.running,
      false,
      motion.commandComplete,
      motion.pathComplete,
      motion.homed,
    ];
    return bits.reduce((word, bit, n) => word | (Number(bit) << n), 0);
  }

  #readSaveStatus(): number {
    if (this.#savedAtS === undefined || this.#time.nowS < this.#savedAtS) return 0x1111;
    this.#savedAtS = undefined;
    return 0x5555;
  }

  #write(address: number, value: number): void {
    if (isTrigger(address, value)) {
      this.#trigger(address, value);
      return;
    }
    if (address === reg.auxiliary) {
      this.#auxiliary(value);
      return;
    }
    this.#registers.set(address, value);
    if (address === reg.forcedEnable) {
      this.#motion.enable(value === 1);
      this.#note(value === 1 ? "enable" : "disable", this.motor.powered === (value === 1), null, address, value);
    }
  }

  #trigger(address: number, word: number): void {
    // Writing 0x1111 is said to clear a read-back that sticks after a quick stop; it moves nothing.
    if (word === 0x1111 || word === 0) {
      this.#motion.clearReadback();
      return;
    }
    const obeyed = this.#motion.trigger(word, this.#time.nowS);
    if (word === 0x040) {
      this.#note("stop", obeyed, null, address, word);
      return;
    }
    if (word === 0x020) {
      this.#note("home", obeyed, null, address, word);
      return;
    }
    if (word === 0x021) {
      this.#note("zero", obeyed, null, address, word);
      return;
    }
    if (word < 0x010 || word >= 0x010 + pathCount) return;
    const mode = pathMode(this.#registers, word - 0x010);
    const target = pathTarget(this.#registers, word - 0x010);
    if (mode.kind === "none") return;
    if (mode.kind === "homing") this.#note("home", obeyed, null, address, word);
    else if (mode.kind === "velocity") this.#note("velocity", obeyed, target, address, word);
    else this.#note(mode.relative ? "start-relative" : "start-absolute", obeyed, target, address, word);
  }

  #auxiliary(value: number): void {
    if (value === 0x1111) {
      // Over-current needs mains off (manual, alarm chapter); a drive in order re-enables by 0x000F as it stands.
      const clears = this.#motion.alarm !== 0x01;
      if (clears) this.#motion.alarm = 0;
      this.#motion.enable(clears && this.#registers.get(reg.forcedEnable) === 1);
      this.#note("reset", clears, null, reg.auxiliary, value);
    } else if (value === 0x2211) {
      this.#registers.save();
      this.#savedAtS = this.#time.nowS + SAVE_S;
    } else if (value === 0x2222 || value === 0x2233) {
      this.#registers.presets();
    } else if (value === 0x4001 || value === 0x4002) {
      const obeyed = this.#motion.jog(value === 0x4001 ? 1 : -1, this.#time.nowS);
      this.#note(
        "velocity",
        obeyed,
        (value === 0x4001 ? 1 : -1) * this.#registers.get(reg.jogRpm),
        reg.auxiliary,
        value,
      );
    }
  }

  #watchFollowingError(): void {
    const limit = this.#registers.get(reg.followingErrorLimit);
    if (!this.motor.powered || limit === 0) return;
    if (Math.abs(this.motor.followingError / this.#motion.scale) > limit)
      this.#motion.trip(this.#quirks.followingErrorAlarm);
  }

  #note(kind: MotionWriteKind, obeyed: boolean, target: number | null, register: number, value: number): void {
    this.record.add({ atNs: this.#nowNs.toString(), kind, obeyed, target, cause: causeOf(register, value) });
  }
}

/** Path 0's special word (0x6207) is the trigger register in disguise: the "immediate trigger". */
function isTrigger(address: number, value: number): boolean {
  return address === reg.trigger || (address === reg.path0Special && value !== 0);
}

const livePairs: readonly number[] = [
  reg.followingError,
  reg.profilePosition,
  reg.feedbackPosition,
  reg.profileVelocity,
  reg.feedbackVelocity,
  reg.commandPosition,
  reg.actualPosition,
];

function isLivePair(address: number): boolean {
  return livePairs.includes(address % 2 === 0 ? address : address - 1);
}
