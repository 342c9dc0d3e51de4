import { mode } from "./cia402-motion.ts";
import { commandOf, controlBit } from "./cia402-state.ts";
import { causeOf, DriveRecord, type MotionWriteKind } from "./drive-record.ts";
import type { Motor } from "./motor.ts";
import { MrJeCCycle, type MrJeCQuirks } from "./mr-je-c-cycle.ts";
import { MrJeCObjects, object } from "./mr-je-c-objects.ts";
import { type DriveState, StepTime } from "./simulated-drive.ts";

const SAVE_SIGNATURE = 0x6576_6173;
const MODES: readonly number[] = [0, 1, 3, 4, 6, -101];
/** CiA 402 error code: life guard or heartbeat error. */
const COMMUNICATION_LOST = 0x8130;

/** A drive's own watch over its master: none, over every telegram to it, or over writes alone. */
export interface WatchdogQuirks {
  watchdog: "none" | "telegram" | "write";
  watchdogMs: number;
}

/** No watchdog: what the manuals of the CiA 402 drives here say, or do not say. */
export const noWatchdog: WatchdogQuirks = { watchdog: "none", watchdogMs: 500 };

/** A CiA 402 drive without its wire: objects by index, a motor, and a record of what was asked of it. */
export class Cia402Device {
  readonly motor: Motor;
  readonly record = new DriveRecord();
  readonly objects = new MrJeCObjects();
  readonly cycle: MrJeCCycle;
  /** Called after each step of the plant. */
  onStep: (nowS: number) => void = () => undefined;
  readonly #quirks: MrJeCQuirks & WatchdogQuirks;
  readonly #time = new StepTime();
  #nowNs = 0n;
  #bootUntilS = 0;
  #controlword = 0;
  #peakLoad = 0;
  #heardS = 0;

  constructor(motor: Motor, quirks: MrJeCQuirks & Partial<WatchdogQuirks>) {
    this.motor = motor;
    this.#quirks = { ...noWatchdog, ...quirks };
    this.cycle = new MrJeCCycle(motor, this.objects, quirks);
  }

  get nowS(): number {
    return this.#time.nowS;
  }

  get answering(): boolean {
    return this.nowS >= this.#bootUntilS;
  }

  /** Values that the maker has stored: they survive a power cycle. */
  preset(values: ReadonlyMap<number, readonly number[]>): void {
    for (const [index, entries] of values) this.objects.set(index, entries);
    this.objects.save();
  }

  advance(nowNs: bigint): void {
    this.#nowNs = nowNs;
    const watched = () => this.#quirks.watchdog !== "none" && this.motor.powered;
    const idle = () => this.motor.idle && this.cycle.idle && !watched();
    this.#time.advance(nowNs, idle, () => {
      this.motor.step();
      this.cycle.step(this.nowS);
      this.#peakLoad = Math.max(this.#peakLoad, Math.abs(this.motor.torque));
      if (watched() && (this.nowS - this.#heardS) * 1000 > this.#quirks.watchdogMs) this.#loseMaster();
      this.onStep(this.nowS);
    });
  }

  /** A request has arrived; feeds the watchdog. */
  heard(kind: "read" | "write"): void {
    if (kind === "write" || this.#quirks.watchdog === "telegram") this.#heardS = this.nowS;
  }

  state(): DriveState {
    const { state, motion } = this.cycle;
    return {
      state: this.answering ? state : "not-ready-to-switch-on",
      enabled: this.motor.powered,
      homed: motion.homed,
      moving: !this.motor.demand.atRest || Math.abs(this.motor.velocity) > 50,
      alarm: this.objects.get(object.errorCode),
      position: motion.actual,
    };
  }

  powerCycle(): void {
    this.objects.reload();
    this.cycle.restart();
    this.#controlword = 0;
    this.#peakLoad = 0;
    this.#bootUntilS = this.nowS + this.#quirks.bootMs / 1000;
  }

  /** The value that the drive shows of an object now. */
  live(index: number, entry = 0): number {
    const { motion, units } = this.cycle;
    switch (index) {
      case object.statusword:
        return this.cycle.statusword();
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
        return this.objects.get(index, entry);
    }
  }

  inRange(index: number, values: readonly number[]): boolean {
    return index !== object.mode || MODES.includes(signed8(values[0] ?? 0));
  }

  /** Takes a write and acts on it; `cause` is the address it came by where that is not the index. */
  write(index: number, values: readonly number[], cause = index): void {
    const first = values[0] ?? 0;
    if (index === object.controlword) {
      this.#control(first & 0xffff, cause);
      return;
    }
    if (index === object.save) {
      if (first === SAVE_SIGNATURE) this.objects.save();
      return;
    }
    this.objects.set(index, index === object.mode ? [signed8(first)] : values);
    if (index === object.mode) this.cycle.wantMode(this.nowS);
    const velocityMode = this.objects.get(object.modeDisplay) === mode.profileVelocity;
    if (index === object.targetVelocity)
      this.#note("velocity", velocityMode && this.motor.powered, first, causeOf(cause, first));
  }

  #control(controlword: number, address: number): void {
    const before = this.#controlword;
    const enabledBefore = this.cycle.state === "operation-enabled";
    const homingBefore = this.cycle.motion.homingRuns;
    const resumes = enabledBefore && this.cycle.motion.resumesAfterHalt;
    this.#controlword = controlword;
    this.objects.set(object.controlword, [controlword]);
    const obeyed = this.cycle.control(controlword, this.nowS);
    const note = (kind: MotionWriteKind, did: boolean, target: number | null = null) =>
      this.#note(kind, did, target, causeOf(address, controlword));
    const rose = (bit: number) => (controlword & ~before & bit) !== 0;
    const fell = (bit: number) => (before & ~controlword & bit) !== 0;

    if (rose(controlBit.faultReset)) note("reset", obeyed);
    if (commandOf(controlword) !== commandOf(before)) this.#noteCommand(controlword, address, enabledBefore);
    if (rose(controlBit.halt)) note("halt", enabledBefore);
    // A quick stop or a new set-point that takes the halt's place in the same word lets nothing old go on.
    const goesOn = resumes && this.cycle.state === "operation-enabled" && !rose(controlBit.start);
    if (fell(controlBit.halt) && goesOn) note(this.#modeIs(mode.profileVelocity) ? "velocity" : "start-absolute", true);
    if (fell(controlBit.start) && homingBefore) note("stop", true);
    if (!rose(controlBit.start)) return;
    if (this.#modeIs(mode.homing)) note("home", obeyed);
    else if (!this.#modeIs(mode.profileVelocity)) {
      const relative = (controlword & controlBit.relative) !== 0;
      note(relative ? "start-relative" : "start-absolute", obeyed, this.objects.get(object.targetPosition));
    }
  }

  #noteCommand(controlword: number, address: number, enabledBefore: boolean): void {
    const command = commandOf(controlword);
    const kind = command === "enable-operation" ? "enable" : command === "quick-stop" ? "stop" : "disable";
    // The steps of the enabling sequence are neither; only what takes torque away from a running drive is.
    if (kind !== "enable" && !enabledBefore) return;
    this.#note(kind, this.cycle.state !== "fault", null, causeOf(address, controlword));
  }

  #modeIs(wanted: number): boolean {
    return this.objects.get(object.modeDisplay) === wanted;
  }

  #note(kind: MotionWriteKind, obeyed: boolean, target: number | null, cause: string): void {
    this.record.add({ atNs: this.#nowNs.toString(), kind, obeyed, target, cause });
  }

  #loseMaster(): void {
    this.#heardS = this.nowS;
    const { state } = this.cycle;
    if (state !== "fault" && state !== "fault-reaction-active") this.cycle.trip(COMMUNICATION_LOST, this.nowS);
  }
}

function signed8(value: number): number {
  return (value << 24) >> 24;
}
