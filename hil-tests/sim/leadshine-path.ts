import type { HomingPlan } from "./homing-sequence.ts";
import { type LeadshineRegisters, reg } from "./leadshine-registers.ts";
import type { PlantConfig } from "./motor.ts";
import type { DemandGoal } from "./profile-demand.ts";
import { i16 } from "./register-bank.ts";

/** The iCL-RS's rpm, "ms per 1000 rpm" and pulses in motor counts. */
export class LeadshineUnits {
  readonly #registers: LeadshineRegisters;
  readonly #plant: PlantConfig;

  constructor(registers: LeadshineRegisters, plant: PlantConfig) {
    this.#registers = registers;
    this.#plant = plant;
  }

  /** Motor counts per pulse, negative when register 0x0007 turns the direction. */
  get scale(): number {
    return (this.way * this.#plant.countsPerRevolution) / this.#registers.get(reg.pulsesPerRevolution);
  }

  /** The motor's direction for a positive command. */
  get way(): 1 | -1 {
    return this.#registers.get(reg.direction) === 1 ? -1 : 1;
  }

  /** rpm to motor counts/s, direction included. */
  speed(rpm: number): number {
    return (this.way * rpm * this.#plant.countsPerRevolution) / 60;
  }

  /** Motor counts/s to rpm, direction included. */
  rpm(speed: number): number {
    return Math.round((this.way * speed * 60) / this.#plant.countsPerRevolution);
  }

  /** "ms per 1000 rpm" to motor counts/s²; 0 counts as 1. */
  ramp(msPer1000Rpm: number): number {
    return Math.abs(this.speed(1000)) / (Math.max(msPer1000Rpm, 1) / 1000);
  }
}

/** What a path's mode word asks for (iCL-RS manual, PR path parameters: +0). */
export interface PathMode {
  kind: "none" | "position" | "velocity" | "homing";
  relative: boolean;
  /** INS bit. */
  interrupts: boolean;
  /** Path to run after the pause; `null` without a jump. */
  next: number | null;
}

export function pathMode(registers: LeadshineRegisters, path: number): PathMode {
  const word = registers.get(reg.path0 + 8 * path);
  const kind = (["none", "position", "velocity", "homing"] as const)[word & 0x0f] ?? "none";
  const next = (word & 0x4000) === 0 ? null : (word >> 8) & 0x0f;
  return { kind, relative: (word & 0x40) !== 0, interrupts: (word & 0x10) !== 0, next };
}

/** Pulses of a position path, rpm of a velocity path, as written. */
export function pathTarget(registers: LeadshineRegisters, path: number): number {
  const base = reg.path0 + 8 * path;
  return pathMode(registers, path).kind === "velocity" ? i16(registers.get(base + 3)) : registers.getI32(base + 1);
}

/** The motor goal of a position or velocity path; `zero` is the true place of pulse 0, `here` the demand. */
export function pathGoal(
  registers: LeadshineRegisters,
  units: LeadshineUnits,
  path: number,
  place: { zero: number; here: number },
): DemandGoal | undefined {
  const base = reg.path0 + 8 * path;
  const mode = pathMode(registers, path);
  const speed = units.speed(i16(registers.get(base + 3)));
  const acceleration = units.ramp(registers.get(base + 4));
  const deceleration = units.ramp(registers.get(base + 5));
  if (mode.kind === "velocity") return { kind: "velocity", speed, acceleration, deceleration };
  if (mode.kind !== "position") return undefined;
  const target = (mode.relative ? place.here : place.zero) + registers.getI32(base + 1) * units.scale;
  return { kind: "position", target, speed: Math.abs(speed), acceleration, deceleration };
}

/** The reference run that 0x600A to 0x6015 describe; direction bit 0 = 0 searches downwards (the manual has both). */
export function homingPlan(registers: LeadshineRegisters, units: LeadshineUnits): HomingPlan {
  const mode = registers.get(reg.homingMode);
  const overTravel = registers.get(reg.homeOverTravel);
  return {
    direction: (mode & 1) === (units.way > 0 ? 0 : 1) ? -1 : 1,
    reference: (mode & 4) === 0 ? "limit-switch" : "home-switch",
    fast: Math.abs(units.speed(registers.get(reg.homeFastRpm))),
    slow: Math.abs(units.speed(registers.get(reg.homeSlowRpm))),
    acceleration: units.ramp(registers.get(reg.homeAccelerationMs)),
    deceleration: units.ramp(registers.get(reg.homeDecelerationMs)),
    travelMax: overTravel === 0 ? null : overTravel * Math.abs(units.scale),
  };
}

/** The move to the home stop position after a reference run (0x600A bit 1). */
export function homeStopGoal(registers: LeadshineRegisters, units: LeadshineUnits, zero: number): DemandGoal {
  const { fast, acceleration, deceleration } = homingPlan(registers, units);
  const target = zero + registers.getI32(reg.homeStopPosition) * units.scale;
  return { kind: "position", target, speed: fast, acceleration, deceleration };
}
