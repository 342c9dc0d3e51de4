import { HomingSequence } from "./homing-sequence.ts";
import { homeStopGoal, homingPlan, LeadshineUnits, pathGoal, pathMode } from "./leadshine-path.ts";
import { type LeadshineRegisters, pathCount, reg } from "./leadshine-registers.ts";
import type { Motor } from "./motor.ts";

/**
 * Behaviour that no manual settles (`reference` marks it as inferred or contradictory). Defaults are the harsher
 * reading for a master, so that a gateway that works here does not rely on luck.
 */
export interface LeadshineQuirks {
  /** From the write of 0x6002 until the drive takes it; the manual gives no number. */
  takeMs: number;
  /** `manual`: a new path always interrupts. `field`: measured on an iCL57: INS = 1 ignores it while moving. */
  insBehaviour: "manual" | "field";
  /** 0x6002 keeps reading 0x0040 after a quick stop until something else is written. */
  stopReadbackSticks: boolean;
  /** What a trigger during homing gets. A quick stop always works. */
  duringHoming: "ignore" | "exception";
  /** Alarm code of the following-error watch; the manual's list has none of its own. */
  followingErrorAlarm: number;
  /** Encoder counts per revolution that 0x1014 reports in (an iCL reported 65536 while commands use 0x0001). */
  feedbackCountsPerRevolution: number;
  /** Silence after mains on. */
  bootMs: number;
}

/** See `LeadshineQuirks`. */
export const leadshineDefaults: LeadshineQuirks = {
  takeMs: 8,
  insBehaviour: "manual",
  stopReadbackSticks: false,
  duringHoming: "ignore",
  followingErrorAlarm: 0x80,
  feedbackCountsPerRevolution: 65_536,
  bootMs: 500,
};

// "Waiting for positioning" ends inside this distance; the manual names the phase but not the window.
const IN_POSITION_PULSES = 10;
const JOG_HOLD_S = 0.05;

type Activity =
  | { at: "rest" }
  | { at: "path"; path: number }
  | { at: "pause"; path: number; next: number; untilS: number }
  | { at: "homing"; sequence: HomingSequence }
  | { at: "stopping" }
  | { at: "jog"; untilS: number };

/** The PR path machine behind register 0x6002 (iCL-RS manual, PR mode): triggers in, motor goals out. */
export class LeadshineMotion {
  homed = false;
  alarm = 0;
  /** Status bits 4 and 5. */
  commandComplete = true;
  pathComplete = true;
  readonly #motor: Motor;
  readonly #registers: LeadshineRegisters;
  readonly #quirks: LeadshineQuirks;
  readonly #units: LeadshineUnits;
  #activity: Activity = { at: "rest" };
  #pending: { word: number; atS: number } | undefined;
  #readback = 0;
  /** True counts at pulse 0. */
  #originCounts: number;

  constructor(motor: Motor, registers: LeadshineRegisters, quirks: LeadshineQuirks) {
    this.#motor = motor;
    this.#registers = registers;
    this.#quirks = quirks;
    this.#units = new LeadshineUnits(registers, motor.plant);
    this.#originCounts = motor.position;
  }

  /** Motor counts per pulse; see `LeadshineUnits`. */
  get scale(): number {
    return this.#units.scale;
  }

  get commandPulses(): number {
    return Math.round((this.#motor.demand.position - this.#originCounts) / this.scale);
  }

  get actualPulses(): number {
    return Math.round((this.#motor.position - this.#originCounts) / this.scale);
  }

  get idle(): boolean {
    return this.#activity.at === "rest" && this.#pending === undefined;
  }

  get homing(): boolean {
    return this.#activity.at === "homing";
  }

  /** Status bit 2: the generator runs. */
  get running(): boolean {
    return this.#activity.at !== "rest" && !this.#motor.demand.atRest;
  }

  /** What 0x6002 reads (iCL-RS manual, PR control register). */
  get readback(): number {
    if (this.#pending) return this.#pending.word;
    const activity = this.#activity;
    if (activity.at === "path") return this.#motor.demand.atRest ? 0x200 : 0x100 + activity.path;
    if (activity.at === "pause") return 0x100 + activity.path;
    if (activity.at === "homing") return 0x020;
    if (activity.at === "stopping") return 0x040;
    return this.#readback;
  }

  /** A write of 0x6002. Returns whether the drive will obey. */
  trigger(word: number, nowS: number): boolean {
    if (word === 0x040) return this.quickStop();
    if (!this.#motor.powered || this.alarm !== 0 || this.homing) return false;
    const isPath = word >= 0x010 && word < 0x010 + pathCount;
    if (!isPath && word !== 0x020 && word !== 0x021) return false;
    if (isPath && !this.#mayInterrupt(word - 0x010)) return false;
    this.#registers.set(reg.warning, 0);
    this.#pending = { word, atS: nowS + this.#quirks.takeMs / 1000 };
    return true;
  }

  /** 0x6002 = 0x040: at once, whatever runs, with the ramp of 0x6017. */
  quickStop(): boolean {
    this.#pending = undefined;
    this.#halt(this.#registers.get(reg.quickStopMs));
    return this.#motor.powered;
  }

  /** Forgets the last command's outcome in 0x6002. */
  clearReadback(): void {
    this.#readback = 0;
  }

  /** RS-485 jog: runs on for 50 ms per write and then stops by itself. */
  jog(way: 1 | -1, nowS: number): boolean {
    if (!this.#motor.powered || this.alarm !== 0 || this.homing || this.#pending) return false;
    const ramp = this.#units.ramp(this.#registers.get(reg.jogRampMs));
    const speed = this.#units.speed(way * this.#registers.get(reg.jogRpm));
    this.#motor.go({ kind: "velocity", speed, acceleration: ramp, deceleration: ramp });
    this.#activity = { at: "jog", untilS: nowS + JOG_HOLD_S };
    return true;
  }

  /** Power stage on or off; off ends whatever ran. */
  enable(on: boolean): void {
    this.#motor.power(on && this.alarm === 0);
    if (!on) this.#abandon();
  }

  /** Trips the drive: the shaft is free, the running path reads 0x20P. */
  trip(alarm: number): void {
    const path = this.#activity.at === "path" ? this.#activity.path : undefined;
    this.alarm = alarm;
    this.#motor.power(false);
    this.#abandon();
    if (path !== undefined) this.#readback = 0x200 + path;
  }

  /** Mains off and on: the counter starts at 0 where the shaft stands. */
  forget(): void {
    this.#motor.power(false);
    this.#abandon();
    this.alarm = 0;
    this.homed = false;
    this.commandComplete = true;
    this.pathComplete = true;
    this.#originCounts = this.#motor.position;
  }

  /** One plant step later. */
  step(nowS: number): void {
    if (this.#pending && nowS >= this.#pending.atS) this.#take(this.#pending.word);
    this.#watchLimits();
    const activity = this.#activity;
    const stands = this.#motor.demand.atRest;
    if (activity.at === "homing") this.#stepHoming(activity.sequence);
    else if (activity.at === "jog" && nowS >= activity.untilS) this.#halt(this.#registers.get(reg.jogRampMs));
    else if (activity.at === "stopping" && stands) this.#rest(this.#quirks.stopReadbackSticks ? 0x040 : 0);
    else if (activity.at === "pause" && nowS >= activity.untilS) this.#startPath(activity.next);
    else if (activity.at === "path" && stands) this.#finishPath(activity.path, nowS);
  }

  #take(word: number): void {
    this.#pending = undefined;
    if (word === 0x021) {
      this.#originCounts = this.#motor.demand.position;
      this.homed = true;
      this.#rest(0);
      return;
    }
    if (word === 0x020) {
      this.#startHoming();
      return;
    }
    this.#startPath(word - 0x010);
  }

  #mayInterrupt(path: number): boolean {
    if (this.#activity.at === "rest" || this.#quirks.insBehaviour === "manual") return true;
    return !pathMode(this.#registers, path).interrupts;
  }

  #startPath(path: number): void {
    this.commandComplete = false;
    this.pathComplete = false;
    if (pathMode(this.#registers, path).kind === "homing") {
      this.#startHoming();
      return;
    }
    const place = { zero: this.#originCounts, here: this.#motor.demand.position };
    const goal = pathGoal(this.#registers, this.#units, path, place);
    if (!goal) {
      this.#complete(path);
      return;
    }
    this.#motor.go(goal);
    this.#activity = { at: "path", path };
  }

  #finishPath(path: number, nowS: number): void {
    this.commandComplete = true;
    if (Math.abs(this.#motor.followingError / this.scale) > IN_POSITION_PULSES) return;
    const { next } = pathMode(this.#registers, path);
    if (next === null) {
      this.#complete(path);
      return;
    }
    const pauseS = this.#registers.get(reg.path0 + 8 * path + 6) / 1000;
    this.#activity = { at: "pause", path, next, untilS: nowS + pauseS };
  }

  #startHoming(): void {
    this.homed = false;
    this.commandComplete = false;
    this.pathComplete = false;
    const plan = homingPlan(this.#registers, this.#units);
    this.#activity = { at: "homing", sequence: new HomingSequence(this.#motor, plan) };
  }

  #stepHoming(sequence: HomingSequence): void {
    sequence.step();
    if (!sequence.finished) return;
    const result = sequence.result;
    if (result.at === "failed") this.#registers.set(reg.warning, result.why === "limit" ? 0x100 : 0x102);
    if (result.at !== "attained") {
      this.#rest(0);
      return;
    }
    this.#originCounts = result.edge - this.#registers.getI32(reg.homePosition) * this.scale;
    this.homed = true;
    this.#complete();
    if ((this.#registers.get(reg.homingMode) & 2) === 0) return;
    this.#motor.go(homeStopGoal(this.#registers, this.#units, this.#originCounts));
    this.#activity = { at: "path", path: 0 };
  }

  // Switches and soft limits stop a path with the ramp of 0x6016 and leave 0x20P in 0x601D; homing has its own rules.
  #watchLimits(): void {
    const activity = this.#activity;
    if (activity.at !== "path" && activity.at !== "jog") return;
    const way = Math.sign(this.#motor.demand.velocity);
    const atSwitch = (way < 0 && this.#motor.negativeLimit) || (way > 0 && this.#motor.positiveLimit);
    if (!atSwitch && !this.#beyondSoftLimit(way)) return;
    this.#registers.set(reg.warning, 0x200 + (activity.at === "path" ? activity.path : 0));
    this.#halt(this.#registers.get(reg.limitStopMs));
  }

  #beyondSoftLimit(way: number): boolean {
    if (!this.homed || (this.#registers.get(reg.control) & 2) === 0) return false;
    const pulseWay = way * this.#units.way;
    const pulses = this.commandPulses;
    if (pulseWay > 0) return pulses > this.#registers.getI32(reg.softLimitPositive);
    return pulseWay < 0 && pulses < this.#registers.getI32(reg.softLimitNegative);
  }

  #halt(rampMs: number): void {
    this.#motor.go({ kind: "stop", deceleration: this.#units.ramp(rampMs) });
    if (this.#activity.at !== "rest" || !this.#motor.demand.atRest) this.#activity = { at: "stopping" };
  }

  #complete(path = 0): void {
    this.commandComplete = true;
    this.pathComplete = true;
    this.#rest(path);
  }

  #abandon(): void {
    this.#pending = undefined;
    this.#rest(0);
  }

  #rest(readback: number): void {
    this.#activity = { at: "rest" };
    this.#readback = readback;
  }
}
