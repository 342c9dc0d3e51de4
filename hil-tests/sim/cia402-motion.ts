import { controlBit, statusBit } from "./cia402-state.ts";
import { HomingSequence } from "./homing-sequence.ts";
import type { Motor } from "./motor.ts";
import { type MrJeCObjects, object } from "./mr-je-c-objects.ts";
import type { MrJeCUnits } from "./mr-je-c-units.ts";

/** Mode numbers of 6060 that the simulated drive moves in. */
export const mode = { profilePosition: 1, profileVelocity: 3, homing: 6, pointTable: -101 } as const;

interface SetPoint {
  target: number;
  speed: number;
  acceleration: number;
  deceleration: number;
  immediate: boolean;
}

type Homing = { at: "idle" } | { at: "running"; sequence: HomingSequence } | { at: "attained" } | { at: "error" };

/** What profile position, profile velocity and homing mode do with the motor (CiA 402, IEC 61800-7-201). */
export class Cia402Motion {
  homed = false;
  /** SW11: a soft limit or a limit switch bounds the motion. */
  internalLimit = false;
  readonly #motor: Motor;
  readonly #objects: MrJeCObjects;
  readonly #units: MrJeCUnits;
  readonly #ackS: number;
  readonly #haltResumes: boolean;
  #originCounts: number;
  #mode = 1;
  #control = 0;
  #taking: { point: SetPoint; atS: number } | undefined;
  #running: SetPoint | undefined;
  #queued: SetPoint | undefined;
  #acknowledged = false;
  // A drive reports the target of its last motion as reached until the next one begins.
  #targetReached = true;
  #inWindowS: number | undefined;
  #homing: Homing = { at: "idle" };

  constructor(motor: Motor, objects: MrJeCObjects, units: MrJeCUnits, ackMs: number, haltResumes: boolean) {
    this.#motor = motor;
    this.#objects = objects;
    this.#units = units;
    this.#ackS = ackMs / 1000;
    this.#haltResumes = haltResumes;
    this.#originCounts = motor.position;
  }

  get actual(): number {
    return Math.round(this.#motor.position - this.#originCounts);
  }

  get demand(): number {
    return Math.round(this.#motor.demand.position - this.#originCounts);
  }

  get idle(): boolean {
    // An acknowledge whose start bit has fallen at standstill has still to fall itself.
    const falls = this.#acknowledged && (this.#control & controlBit.start) === 0;
    const waits = falls || this.#taking !== undefined || this.#queued !== undefined || this.#running !== undefined;
    return !waits && this.#homing.at !== "running" && (this.#mode !== mode.profileVelocity || !this.#motor.powered);
  }

  get homingRuns(): boolean {
    return this.#homing.at === "running";
  }

  /** True when clearing the halt bit would set the axis in motion. */
  get resumesAfterHalt(): boolean {
    return this.#mode === mode.profileVelocity || (this.#haltResumes && this.#running !== undefined);
  }

  /** 6061 has changed: what the old mode held is dropped. */
  enterMode(entered: number): void {
    this.#mode = entered;
    this.cancel();
  }

  /** A new controlword in Operation enabled. Returns whether a bit-4 edge, if there is one, was obeyed. */
  control(controlword: number, nowS: number): boolean {
    const before = this.#control;
    this.#control = controlword;
    const rose = (bit: number) => (controlword & bit) !== 0 && (before & bit) === 0;
    if (rose(controlBit.halt)) this.#halt();
    if ((before & ~controlword & controlBit.halt) !== 0) this.#resume();
    if (this.#mode === mode.homing && (controlword & controlBit.start) === 0) this.#abortHoming();
    return rose(controlBit.start) ? this.#start(controlword, nowS) : false;
  }

  /** Remembers the controlword where the drive is not in Operation enabled, so that edges stay edges. */
  observe(controlword: number): void {
    this.#control = controlword;
  }

  /** Forgets set-points and homing; the motor is left to the caller. */
  cancel(): void {
    this.#taking = undefined;
    this.#running = undefined;
    this.#queued = undefined;
    this.#acknowledged = false;
    this.#targetReached = true;
    this.#homing = { at: "idle" };
  }

  /** Mains off and on: the counter starts at 0 where the shaft stands. */
  forget(): void {
    this.cancel();
    this.homed = false;
    this.internalLimit = false;
    this.#control = 0;
    this.#mode = this.#objects.get(object.mode);
    this.#originCounts = this.#motor.position;
  }

  /** Mode-specific statusword bits 10, 11, 12, 13 (13 in PP comes from the following-error watch). */
  statusBits(): number {
    const limit = this.internalLimit ? statusBit.internalLimit : 0;
    return limit | (this.#mode === mode.homing ? this.#homingBits() : this.#profileBits());
  }

  /** One plant step later, in Operation enabled. */
  step(nowS: number): void {
    if ((this.#control & controlBit.start) === 0 && !this.#queued && !this.#taking) this.#acknowledged = false;
    if (this.#taking && nowS >= this.#taking.atS) this.#take(this.#taking.point);
    if (this.#queued && this.#motor.demand.atRest) this.#run(this.#queued);
    if (this.#mode === mode.profileVelocity) this.#followTargetVelocity();
    if (this.#homing.at === "running") this.#stepHoming(this.#homing.sequence);
    else this.#watchLimits();
    this.#watchTarget(nowS);
  }

  #start(controlword: number, nowS: number): boolean {
    if ((controlword & controlBit.halt) !== 0) return false;
    if (this.#mode === mode.homing) return this.#startHoming();
    if (this.#mode !== mode.profilePosition && this.#mode !== mode.pointTable) return false;
    if (this.#acknowledged || this.#taking) return false;
    const point = this.#mode === mode.pointTable ? this.#pointTable() : this.#setPoint(controlword);
    this.#taking = { point, atS: nowS + this.#ackS };
    return true;
  }

  #setPoint(controlword: number): SetPoint {
    const target = this.#objects.get(object.targetPosition);
    const relative = (controlword & controlBit.relative) !== 0;
    return {
      target: this.#clamp(relative ? this.demand + target : target),
      speed: this.#units.speed(object.profileVelocity),
      acceleration: this.#units.ramp(object.profileAcceleration),
      deceleration: this.#units.ramp(object.profileDeceleration),
      immediate: (controlword & controlBit.immediate) !== 0,
    };
  }

  #pointTable(): SetPoint {
    const table = this.#objects.get(object.pointTableTarget);
    const target = this.#clamp(this.#objects.get(object.pointTable0 + table, 0));
    const speed = this.#units.speed(object.pointTable0 + table, 1);
    const acceleration = this.#units.ramp(object.profileAcceleration);
    this.#objects.set(object.pointTableDemanded, [table]);
    return { target, speed, acceleration, deceleration: acceleration, immediate: true };
  }

  #clamp(target: number): number {
    const [low = 0, high = 0] = this.#objects.all(object.softLimits);
    const inside = low < high ? Math.min(high, Math.max(low, target)) : target;
    this.internalLimit = inside !== target;
    return inside;
  }

  #take(point: SetPoint): void {
    this.#taking = undefined;
    this.#acknowledged = true;
    if (point.immediate || this.#motor.demand.atRest) this.#run(point);
    else this.#queued = point;
  }

  #run(point: SetPoint): void {
    this.#queued = undefined;
    this.#running = point;
    this.#targetReached = false;
    this.#inWindowS = undefined;
    this.#motor.go({ ...point, kind: "position", target: point.target + this.#originCounts });
  }

  #halt(): void {
    this.#taking = undefined;
    this.#queued = undefined;
    this.#abortHoming();
    this.#motor.go({ kind: "stop", deceleration: this.#units.haltRamp });
  }

  #resume(): void {
    if (!this.#haltResumes) this.#running = undefined;
    if (this.#running && this.#mode !== mode.profileVelocity) this.#run(this.#running);
  }

  #followTargetVelocity(): void {
    if ((this.#control & controlBit.halt) !== 0) return;
    const acceleration = this.#units.ramp(object.profileAcceleration);
    const deceleration = this.#units.ramp(object.profileDeceleration);
    const speed = this.#boundedVelocity(this.#units.speed(object.targetVelocity));
    this.#motor.go({ kind: "velocity", speed, acceleration, deceleration });
  }

  #boundedVelocity(speed: number): number {
    const [low = 0, high = 0] = this.#objects.all(object.softLimits);
    const soft = low < high && ((speed > 0 && this.demand >= high) || (speed < 0 && this.demand <= low));
    const hard = (speed > 0 && this.#motor.positiveLimit) || (speed < 0 && this.#motor.negativeLimit);
    this.internalLimit = soft || hard;
    return soft || hard ? 0 : speed;
  }

  #watchLimits(): void {
    const way = Math.sign(this.#motor.demand.velocity);
    const hit = (way < 0 && this.#motor.negativeLimit) || (way > 0 && this.#motor.positiveLimit);
    if (!hit || this.#mode === mode.profileVelocity) return;
    this.internalLimit = true;
    this.#running = undefined;
    this.#queued = undefined;
    this.#motor.go({ kind: "stop", deceleration: this.#units.ramp(object.quickStopDeceleration) });
  }

  #watchTarget(nowS: number): void {
    const point = this.#running;
    if (this.#targetReached || !point) return;
    const near = Math.abs(point.target - this.actual) <= this.#objects.get(object.positionWindow);
    if (!near || !this.#motor.demand.atRest) {
      this.#inWindowS = undefined;
      return;
    }
    this.#inWindowS ??= nowS;
    if ((nowS - this.#inWindowS) * 1000 < this.#objects.get(object.positionWindowTime)) return;
    this.#targetReached = true;
    this.#running = undefined;
    if (this.#mode === mode.pointTable)
      this.#objects.set(object.pointTableActual, [this.#objects.get(object.pointTableTarget)]);
  }

  #startHoming(): boolean {
    const plan = this.#units.homingPlan();
    this.homed = false;
    if (plan === "here") this.#setOrigin(this.#motor.demand.position);
    else if (plan) this.#homing = { at: "running", sequence: new HomingSequence(this.#motor, plan) };
    else this.#homing = { at: "error" };
    return plan !== undefined;
  }

  #stepHoming(sequence: HomingSequence): void {
    sequence.step();
    if (!sequence.finished) return;
    if (sequence.result.at === "attained") this.#setOrigin(sequence.result.edge);
    else this.#homing = { at: "error" };
  }

  #setOrigin(edge: number): void {
    this.#originCounts = edge - this.#objects.get(object.homeOffset);
    this.homed = true;
    this.#homing = { at: "attained" };
  }

  #abortHoming(): void {
    if (this.#homing.at !== "running") return;
    this.#motor.go({ kind: "stop", deceleration: this.#units.ramp(object.homingAcceleration) });
    this.#homing = { at: "idle" };
  }

  #homingBits(): number {
    const reached = this.#still ? statusBit.targetReached : 0;
    if (this.#homing.at === "attained") return statusBit.modeA | reached;
    if (this.#homing.at === "error") return statusBit.modeB | reached;
    if (this.#homing.at === "idle") return reached;
    return this.#homing.sequence.result.at === "failed" ? statusBit.modeB : 0;
  }

  #profileBits(): number {
    const halted = (this.#control & controlBit.halt) !== 0;
    if (this.#mode === mode.profileVelocity) {
      const target = halted ? 0 : this.#units.speed(object.targetVelocity);
      const reached = Math.abs(this.#motor.velocity - target) <= Math.max(Math.abs(target) * 0.01, 50);
      return (reached ? statusBit.targetReached : 0) | (this.#still ? statusBit.modeA : 0);
    }
    const reached = halted ? this.#still : this.#targetReached;
    return (reached ? statusBit.targetReached : 0) | (this.#acknowledged ? statusBit.modeA : 0);
  }

  get #still(): boolean {
    return this.#motor.demand.atRest && Math.abs(this.#motor.velocity) < 50;
  }
}
