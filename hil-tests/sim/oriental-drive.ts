import { causeOf, DriveRecord, type MotionWriteKind } from "./drive-record.ts";
import { benchPlant, Motor, type PlantConfig } from "./motor.ts";
import { type AzOperation, OrientalMotion, type OrientalQuirks, orientalDefaults } from "./oriental-motion.ts";
import { azReg, azStored, isStored, OrientalRegisters } from "./oriental-registers.ts";
import { type Exception, exceptionCode, words } from "./register-bank.ts";
import { type DriveState, type SimulatedDrive, StepTime } from "./simulated-drive.ts";

/** Driver input levels (0x007D). */
const IN = { data: 0x07, start: 1 << 3, home: 1 << 4, stop: 1 << 5, free: 1 << 6, alarmReset: 1 << 7 };
/** A write of this field starts, by the negative trigger word that names it. */
const FIELD_OF_TRIGGER: Readonly<Record<number, number>> = {
  [-1]: azReg.current,
  [-2]: azReg.stopRate,
  [-3]: azReg.startRate,
  [-4]: azReg.speed,
  [-5]: azReg.position,
  [-6]: azReg.type,
  [-7]: azReg.dataNumber,
};
/** Over-current, sensor and EEPROM faults need mains off. */
const NEEDS_POWER_CYCLE: ReadonlySet<number> = new Set([0x20, 0x28, 0x2a, 0x33, 0x41, 0x42, 0x43, 0x44, 0x45, 0xf0]);
const FRAME_WARNING = 0x84;
const FRAME_ALARM = 0x84;
const SILENCE_ALARM = 0x85;

/**
 * An Oriental Motor AZ as its public maps describe it: direct data operation, driver inputs as levels, absolute encoder.
 * 32-bit values at even addresses, high word first. The motor has current from power-on until FREE or an alarm takes it.
 */
export class OrientalDrive implements SimulatedDrive {
  readonly model = "oriental-az";
  readonly id: string;
  readonly unit: number;
  readonly functions: ReadonlySet<number> = new Set([0x03, 0x06, 0x08, 0x10]);
  readonly messageBytesMax = 256;
  readonly answersBadCrc = false;
  readonly motor: Motor;
  readonly record = new DriveRecord();
  readonly #registers = new OrientalRegisters();
  readonly #quirks: OrientalQuirks;
  readonly #motion: OrientalMotion;
  readonly #time = new StepTime();
  #nowNs = 0n;
  #bootUntilS = 0;
  #memoryBusyUntilS = 0;
  #damagedFrames = 0;
  #heardAtS = 0;
  #communicationError = 0;

  constructor(id: string, unit: number, plant: Partial<PlantConfig> = {}, quirks: Partial<OrientalQuirks> = {}) {
    this.id = id;
    this.unit = unit;
    this.motor = new Motor({ ...benchPlant, ...plant });
    this.#quirks = { ...orientalDefaults, ...quirks };
    this.#motion = new OrientalMotion(this.motor, this.#quirks);
  }

  get answering(): boolean {
    return this.#time.nowS >= this.#bootUntilS;
  }

  advance(nowNs: bigint): void {
    this.#nowNs = nowNs;
    this.#time.advance(
      nowNs,
      () => this.motor.idle && !this.#motion.homing,
      () => {
        this.motor.step();
        this.#motion.step(this.#time.nowS);
      },
    );
    this.#watchSilence();
  }

  state(): DriveState {
    const { alarm, homing, moving, homeEnd } = this.#motion;
    const enabled = this.motor.powered;
    const state = alarm !== 0 ? "alarm" : homing ? "homing" : moving ? "moving" : enabled ? "ready" : "free";
    const position = Math.round(this.motor.position);
    return { state, enabled, homed: homeEnd, moving: moving || Math.abs(this.motor.velocity) > 1, alarm, position };
  }

  powerCycle(): void {
    this.#registers.reload();
    this.#motion.forget();
    this.#damagedFrames = 0;
    this.#communicationError = 0;
    this.#bootUntilS = this.#time.nowS + this.#quirks.bootMs / 1000;
    this.#heardAtS = this.#bootUntilS;
  }

  /** A frame with a bad CRC was on the line: first a warning, then an alarm; the next good one clears the warning. */
  damagedFrame(): void {
    this.#communicationError = FRAME_WARNING;
    if (++this.#damagedFrames === this.#quirks.damagedFramesMax) this.#motion.trip(FRAME_ALARM);
  }

  readRun(address: number, count: number): readonly number[] | Exception {
    this.#heard();
    const values: number[] = [];
    for (let at = address; at < address + count; at++) {
      if (!this.#registers.has(at)) return { exception: exceptionCode.wrongAddress };
      const [high, low] = words(this.#live(at & ~1));
      values.push(at % 2 === 0 ? high : low);
    }
    return values;
  }

  writeRun(address: number, values: readonly number[]): Exception | undefined {
    this.#heard();
    for (const n of values.keys())
      if (!this.#registers.writable(address + n)) return this.#refuse(0x88, exceptionCode.wrongAddress);
    const merged = this.#registers.merged(address, values);
    for (const [upper, value] of merged)
      if (!this.#registers.inRange(upper, value)) return this.#refuse(0x8c, exceptionCode.wrongValue);
    const stores = [...merged.keys()].some(isStored);
    if (stores && this.#time.nowS < this.#memoryBusyUntilS) return this.#refuse(0x8a, exceptionCode.deviceFailure);
    if (stores) this.#memoryBusyUntilS = this.#time.nowS + this.#quirks.memoryBusyMs / 1000;
    const before = this.#registers.get(azReg.input);
    const resetBefore = this.#registers.get(azReg.alarmReset);
    const triggerBefore = this.#registers.get(azReg.trigger);
    for (const [upper, value] of merged) this.#registers.set(upper, value);
    if (merged.has(azReg.input)) this.#inputs(this.#registers.get(azReg.input), before, address, values[0] ?? 0);
    if (resetBefore === 0 && this.#registers.get(azReg.alarmReset) === 1) this.#resetAlarm(address, 1);
    this.#directData(merged, triggerBefore, address, values[0] ?? 0);
    return undefined;
  }

  #live(upper: number): number {
    const { motor } = this;
    switch (upper) {
      case azReg.output:
        return this.#outputs();
      case azReg.alarm:
        return this.#motion.alarm;
      case azReg.warning:
        return this.#damagedFrames > 0 ? FRAME_WARNING : 0;
      case azReg.communicationError:
        return this.#communicationError;
      case azReg.commandPosition:
        return Math.round(motor.demand.position);
      case azReg.actualPosition:
        return Math.round(motor.position);
      case azReg.actualHz:
        return Math.round(motor.velocity);
      case azReg.actualRpm:
        return Math.round((motor.velocity * 60) / motor.plant.countsPerRevolution);
      case azReg.torque:
        return Math.round(motor.torque * 10);
      case azReg.directIo:
        return Number(motor.homeSwitch) | (Number(motor.positiveLimit) << 1) | (Number(motor.negativeLimit) << 2);
      default:
        return this.#registers.get(upper);
    }
  }

  #outputs(): number {
    const motion = this.#motion;
    const bits: readonly (readonly [number, boolean])[] = [
      [3, (this.#registers.get(azReg.input) & IN.start) !== 0],
      [4, motion.homeEnd],
      [5, motion.ready],
      [6, this.#damagedFrames > 0],
      [7, motion.alarm !== 0],
      [8, this.#time.nowS < this.#memoryBusyUntilS],
      [13, motion.moving],
      [14, motion.inPosition(this.#time.nowS)],
    ];
    const data = this.#registers.get(azReg.input) & IN.data;
    return bits.reduce((word, [bit, on]) => word | (Number(on) << bit), data);
  }

  /** Levels: STOP and FREE act as long as they are on, the others on their rising edge. */
  #inputs(now: number, before: number, address: number, word: number): void {
    const rises = (bit: number) => (now & ~before & bit) !== 0;
    const note = (kind: MotionWriteKind, obeyed: boolean) => this.#note(kind, obeyed, null, address, word);
    if ((now & IN.stop) !== 0) note("stop", this.motor.powered);
    this.#motion.stop((now & IN.stop) !== 0);
    if (rises(IN.free)) note("disable", true);
    if ((before & ~now & IN.free) !== 0) note("enable", this.#motion.alarm === 0);
    this.#motion.power((now & IN.free) === 0);
    if (rises(IN.alarmReset)) this.#resetAlarm(address, word);
    if (rises(IN.home)) note("home", this.#motion.home());
    if (rises(IN.start)) this.#start(this.#stored(now & IN.data), address, word);
  }

  #resetAlarm(address: number, word: number): void {
    const clears = !NEEDS_POWER_CYCLE.has(this.#motion.alarm);
    if (clears) this.#motion.alarm = 0;
    if (clears) this.#damagedFrames = 0;
    this.#motion.power((this.#registers.get(azReg.input) & IN.free) === 0);
    this.#note("reset", clears, null, address, word);
  }

  #directData(merged: ReadonlyMap<number, number>, triggerBefore: number, address: number, word: number): void {
    const written = merged.get(azReg.trigger);
    const field = FIELD_OF_TRIGGER[triggerBefore];
    const starts = written === 1 || (written === undefined && field !== undefined && merged.has(field));
    if (!starts) return;
    const get = (upper: number) => this.#registers.get(upper);
    const operation = {
      type: get(azReg.type),
      position: get(azReg.position),
      speed: get(azReg.speed),
      startRate: get(azReg.startRate),
      stopRate: get(azReg.stopRate),
    };
    this.#start(operation, address, word);
  }

  #stored(number: number): AzOperation {
    const get = (base: number) => this.#registers.get(base + 2 * number);
    return {
      type: get(azStored.type),
      position: get(azStored.position),
      speed: get(azStored.speed),
      startRate: get(azStored.startRate),
      stopRate: get(azStored.stopRate),
    };
  }

  #start(operation: AzOperation, address: number, word: number): void {
    const started = this.#motion.start(operation);
    if (started) this.#note(started.kind, started.obeyed, started.target, address, word);
  }

  #heard(): void {
    this.#heardAtS = this.#time.nowS;
    if (this.#motion.alarm !== FRAME_ALARM) this.#damagedFrames = 0;
  }

  #watchSilence(): void {
    const limitS = this.#quirks.communicationTimeoutMs / 1000;
    if (limitS === 0 || this.#motion.alarm !== 0 || this.#time.nowS - this.#heardAtS <= limitS) return;
    this.#motion.trip(SILENCE_ALARM);
  }

  #refuse(code: number, exception: number): Exception {
    this.#communicationError = code;
    return { exception };
  }

  #note(kind: MotionWriteKind, obeyed: boolean, target: number | null, register: number, value: number): void {
    this.record.add({ atNs: this.#nowNs.toString(), kind, obeyed, target, cause: causeOf(register, value) });
  }
}
