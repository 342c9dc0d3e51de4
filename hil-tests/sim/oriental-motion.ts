import type { Motor } from "./motor.ts";

/**
 * Behaviour that no public source settles. Defaults are the harsher reading for a master, so that a gateway that works
 * here does not rely on luck.
 */
export interface OrientalQuirks {
  /** A start during a motion: `ignore` it, or let it take over. */
  startWhileMoving: "ignore" | "takes-over";
  /** IN-POS comes so long after the motion's end. */
  settleMs: number;
  /** Position error at which alarm 10h trips, steps. */
  deviationSteps: number;
  /** The drive's memory is busy for so long after operation data were stored: exception 04. */
  memoryBusyMs: number;
  /** Damaged frames in a row that turn warning 84h into alarm 84h. */
  damagedFramesMax: number;
  /** Alarm 85h after so long without a telegram; 0: not monitored. */
  communicationTimeoutMs: number;
  /** Speed and rate of the return to home, Hz and Hz/s. */
  homeHz: number;
  homeRate: number;
  /** Silence after mains on. */
  bootMs: number;
}

/** See `OrientalQuirks`. */
export const orientalDefaults: OrientalQuirks = {
  startWhileMoving: "ignore",
  settleMs: 10,
  deviationSteps: 4000,
  memoryBusyMs: 5,
  damagedFramesMax: 3,
  communicationTimeoutMs: 0,
  homeHz: 20_000,
  homeRate: 400_000,
  bootMs: 500,
};

/** One operation as its data say; speeds in Hz, rates in Hz/s (0.001 kHz/s). */
export interface AzOperation {
  readonly type: number;
  readonly position: number;
  readonly speed: number;
  readonly startRate: number;
  readonly stopRate: number;
}

const IN_POSITION_STEPS = 5;
const ABSOLUTE = 1;
const FROM_COMMAND = 2;
const FROM_FEEDBACK = 3;
const CONTINUOUS: ReadonlySet<number> = new Set([7, 16]);

/** What a start comes to in the drive's record. */
export type AzStart = { kind: "start-absolute" | "start-relative" | "velocity"; target: number; obeyed: boolean };

/** The AZ's operations: starts in, motor goals out. Steps are plant counts; its encoder is absolute and keeps its zero. */
export class OrientalMotion {
  alarm = 0;
  /** A home position was returned to since mains on. */
  homeEnd = false;
  readonly #motor: Motor;
  readonly #quirks: OrientalQuirks;
  #stopRate: number;
  #stopHeld = false;
  #homing = false;
  #restSinceS = Number.NEGATIVE_INFINITY;

  constructor(motor: Motor, quirks: OrientalQuirks) {
    this.#motor = motor;
    this.#quirks = quirks;
    this.#stopRate = quirks.homeRate;
    motor.power(true);
  }

  get moving(): boolean {
    return !this.#motor.demand.atRest;
  }

  get homing(): boolean {
    return this.#homing;
  }

  get ready(): boolean {
    return this.#motor.powered && this.alarm === 0 && !this.moving && !this.#stopHeld;
  }

  inPosition(nowS: number): boolean {
    const near = Math.abs(this.#motor.followingError) <= IN_POSITION_STEPS;
    return this.#motor.powered && !this.moving && near && nowS - this.#restSinceS >= this.#quirks.settleMs / 1000;
  }

  /** A direct data start or a START with stored data. */
  start(operation: AzOperation): AzStart | undefined {
    const { type, position, speed, startRate, stopRate } = operation;
    if (CONTINUOUS.has(type)) {
      const obeyed = this.#go({ kind: "velocity", speed, acceleration: startRate, deceleration: stopRate }, stopRate);
      return { kind: "velocity", target: speed, obeyed };
    }
    const from =
      type === FROM_COMMAND ? this.#motor.demand.position : type === FROM_FEEDBACK ? this.#motor.position : 0;
    if (type !== ABSOLUTE && type !== FROM_COMMAND && type !== FROM_FEEDBACK) return undefined;
    const goal = {
      kind: "position" as const,
      target: Math.round(from) + position,
      speed: Math.abs(speed),
      acceleration: startRate,
      deceleration: stopRate,
    };
    const obeyed = speed !== 0 && this.#go(goal, stopRate);
    return { kind: type === ABSOLUTE ? "start-absolute" : "start-relative", target: position, obeyed };
  }

  /** ZHOME: back to position 0 of the absolute encoder, without a sensor. */
  home(): boolean {
    const { homeHz: speed, homeRate: rate } = this.#quirks;
    const goal = { kind: "position" as const, target: 0, speed, acceleration: rate, deceleration: rate };
    if (!this.#go(goal, rate)) return false;
    this.#homing = true;
    this.homeEnd = false;
    return true;
  }

  /** The STOP level: on, it decelerates and keeps everything from starting. */
  stop(held: boolean): void {
    this.#stopHeld = held;
    if (!held || !this.moving) return;
    this.#homing = false;
    this.#motor.go({ kind: "stop", deceleration: this.#stopRate });
  }

  /** Current to the motor: FREE off and no alarm. */
  power(on: boolean): void {
    if (!on) this.#homing = false;
    this.#motor.power(on && this.alarm === 0);
  }

  trip(alarm: number): void {
    this.alarm = alarm;
    this.power(false);
  }

  /** Mains off and on: commands are gone, the absolute position is not. */
  forget(): void {
    this.#motor.power(false);
    this.alarm = 0;
    this.homeEnd = this.#homing = this.#stopHeld = false;
    this.#motor.power(true);
  }

  /** One plant step later. */
  step(nowS: number): void {
    if (this.moving) {
      this.#restSinceS = nowS;
    } else if (this.#homing) {
      this.#homing = false;
      this.homeEnd = true;
    }
    if (this.#motor.powered && Math.abs(this.#motor.followingError) > this.#quirks.deviationSteps) this.trip(0x10);
  }

  #go(goal: Parameters<Motor["go"]>[0], stopRate: number): boolean {
    const takesOver = this.moving && this.#quirks.startWhileMoving === "takes-over";
    const may = this.ready || (takesOver && this.alarm === 0 && this.#motor.powered && !this.#stopHeld);
    if (!may) return false;
    this.#homing = false;
    this.#stopRate = stopRate;
    this.#motor.go(goal);
    return true;
  }
}
