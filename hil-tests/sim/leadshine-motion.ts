import { HomingSequence } from "./homing-sequence.ts";
import { type LeadshineRegisters, pathCount, reg } from "./leadshine-registers.ts";
import type { Motor } from "./motor.ts";
import { i16 } from "./register-bank.ts";

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
  | { at: "path"; path: number; kind: "position" | "velocity" }
  | { at: "pause"; path: number; next: number; untilS: number }
  | { at: "homing"; sequence: HomingSequence; path: number }
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
  #activity: Activity = { at: "rest" };
  #pending: { word: number; atS: number } | undefined;
  #readback = 0;
  /** True counts at pulse 0. */
  #originCounts: number;

  constructor(motor: Motor, registers: LeadshineRegisters, quirks: LeadshineQuirks) {
    this.#motor = motor;
    this.#registers = registers;
    this.#quirks = quirks;
    this.#originCounts = motor.position;
  }

  /** Motor counts per pulse, negative when register 0x0007 turns the direction. */
  get scale(): number {
    const way = this.#registers.get(reg.direction) === 1 ? -1 : 1;
    return (way * this.#motor.plant.countsPerRevolution) / this.#registers.get(reg.pulsesPerRevolution);
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
    this.#halt(this.#ramp(this.#registers.get(reg.quickStopMs)));
    return this.#motor.powered;
  }

  /** RS-485 jog: runs on for 50 ms per write and then stops by itself. */
  jog(way: 1 | -1, nowS: number): boolean {
    if (!this.#motor.powered || this.alarm !== 0 || this.homing || this.#pending) return false;
    const ramp = this.#ramp(this.#registers.get(reg.jogRampMs));
    const speed = way * this.#speed(this.#registers.get(reg.jogRpm)) * Math.sign(this.scale);
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
    if (activity.at === "homing") return this.#stepHoming(activity);
    if (activity.at === "jog" && nowS >= activity.untilS)
      return this.#halt(this.#ramp(this.#registers.get(reg.jogRampMs)));
    if (activity.at === "stopping" && this.#motor.demand.atRest)
      return this.#rest(this.#quirks.stopReadbackSticks ? 0x040 : 0);
    if (activity.at === "pause" && nowS >= activity.untilS) return this.#startPath(activity.next);
    if (activity.at === "path" && this.#motor.demand.atRest) this.#finishPath(activity.path, nowS);
  }

  #take(word: number): void {
    this.#pending = undefined;
    if (word === 0x021) {
      this.#originCounts = this.#motor.demand.position;
      this.homed = true;
      return this.#rest(0);
    }
    if (word === 0x020) return this.#startHoming(0);
    this.#startPath(word - 0x010);
  }

  #mayInterrupt(path: number): boolean {
    if (this.#activity.at === "rest" || this.#quirks.insBehaviour === "manual") return true;
    return (this.#registers.get(reg.path0 + 8 * path) & 0x10) === 0;
  }

  #startPath(path: number): void {
    const base = reg.path0 + 8 * path;
    const mode = this.#registers.get(base);
    const rpm = i16(this.#registers.get(base + 3));
    const acceleration = this.#ramp(this.#registers.get(base + 4));
    const deceleration = this.#ramp(this.#registers.get(base + 5));
    this.commandComplete = false;
    this.pathComplete = false;
    if ((mode & 0x0f) === 3) return this.#startHoming(path);
    if ((mode & 0x0f) === 2) {
      const speed = this.#speed(rpm) * Math.sign(this.scale);
      this.#motor.go({ kind: "velocity", speed, acceleration, deceleration });
      this.#activity = { at: "path", path, kind: "velocity" };
      return;
    }
    if ((mode & 0x0f) !== 1) return this.#complete();
    const from = (mode & 0x40) === 0 ? this.#originCounts : this.#motor.demand.position;
    const target = from + this.#registers.getI32(base + 1) * this.scale;
    this.#motor.go({ kind: "position", target, speed: Math.abs(this.#speed(rpm)), acceleration, deceleration });
    this.#activity = { at: "path", path, kind: "position" };
  }

  #finishPath(path: number, nowS: number): void {
    this.commandComplete = true;
    if (Math.abs(this.#motor.followingError / this.scale) > IN_POSITION_PULSES) return;
    const base = reg.path0 + 8 * path;
    const mode = this.#registers.get(base);
    if ((mode & 0x4000) === 0) return this.#complete(path);
    const next = (mode >> 8) & 0x0f;
    this.#activity = { at: "pause", path, next, untilS: nowS + this.#registers.get(base + 6) / 1000 };
  }

  #startHoming(path: number): void {
    const mode = this.#registers.get(reg.homingMode);
    const overTravel = this.#registers.get(reg.homeOverTravel);
    this.homed = false;
    this.commandComplete = false;
    this.pathComplete = false;
    const direction = ((mode & 1) === 0 ? -1 : 1) * Math.sign(this.scale) > 0 ? 1 : -1;
    const sequence = new HomingSequence(this.#motor, {
      direction,
      reference: (mode & 4) === 0 ? "limit-switch" : "home-switch",
      fast: Math.abs(this.#speed(this.#registers.get(reg.homeFastRpm))),
      slow: Math.abs(this.#speed(this.#registers.get(reg.homeSlowRpm))),
      acceleration: this.#ramp(this.#registers.get(reg.homeAccelerationMs)),
      deceleration: this.#ramp(this.#registers.get(reg.homeDecelerationMs)),
      travelMax: overTravel === 0 ? null : overTravel * Math.abs(this.scale),
    });
    this.#activity = { at: "homing", sequence, path };
  }

  #stepHoming(activity: Extract<Activity, { at: "homing" }>): void {
    activity.sequence.step();
    if (!activity.sequence.finished) return;
    const result = activity.sequence.result;
    if (result.at === "failed") {
      this.#registers.set(reg.warning, result.why === "limit" ? 0x100 : 0x102);
      return this.#rest(0);
    }
    if (result.at === "attained")
      this.#originCounts = result.edge - this.#registers.getI32(reg.homePosition) * this.scale;
    this.homed = true;
    this.#complete();
    if ((this.#registers.get(reg.homingMode) & 2) !== 0) this.#goToHomeStop();
  }

  #goToHomeStop(): void {
    const target = this.#originCounts + this.#registers.getI32(reg.homeStopPosition) * this.scale;
    const speed = Math.abs(this.#speed(this.#registers.get(reg.homeFastRpm)));
    const acceleration = this.#ramp(this.#registers.get(reg.homeAccelerationMs));
    this.#motor.go({ kind: "position", target, speed, acceleration, deceleration: acceleration });
    this.#activity = { at: "path", path: 0, kind: "position" };
  }

  // Switches and soft limits stop a path with the ramp of 0x6016 and leave 0x20P in 0x601D; homing has its own rules.
  #watchLimits(): void {
    const activity = this.#activity;
    if (activity.at !== "path" && activity.at !== "jog") return;
    const way = Math.sign(this.#motor.demand.velocity);
    const atSwitch = (way < 0 && this.#motor.negativeLimit) || (way > 0 && this.#motor.positiveLimit);
    if (!atSwitch && !this.#beyondSoftLimit(way)) return;
    this.#registers.set(reg.warning, 0x200 + (activity.at === "path" ? activity.path : 0));
    this.#halt(this.#ramp(this.#registers.get(reg.limitStopMs)));
  }

  #beyondSoftLimit(way: number): boolean {
    if (!this.homed || (this.#registers.get(reg.control) & 2) === 0) return false;
    const pulseWay = way * Math.sign(this.scale);
    const pulses = this.commandPulses;
    if (pulseWay > 0) return pulses > this.#registers.getI32(reg.softLimitPositive);
    return pulseWay < 0 && pulses < this.#registers.getI32(reg.softLimitNegative);
  }

  #halt(deceleration: number): void {
    this.#motor.go({ kind: "stop", deceleration });
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

  /** rpm to motor counts/s, without the direction of register 0x0007. */
  #speed(rpm: number): number {
    return (rpm * this.#motor.plant.countsPerRevolution) / 60;
  }

  /** "ms per 1000 rpm" to motor counts/s²; 0 counts as 1. */
  #ramp(msPer1000Rpm: number): number {
    return this.#speed(1000) / (Math.max(msPer1000Rpm, 1) / 1000);
  }
}
