import type { HomingPlan } from "./homing-sequence.ts";
import { type MrJeCObjects, object } from "./mr-je-c-objects.ts";

/** How much one drive unit is in motor counts; the real drive has its own unit settings, so they are configuration. */
export interface MrJeCScale {
  /** counts/s of one unit of 6081, 6099, 60FF and 606C. */
  velocityUnit: number;
  /** counts/s² of one unit of 6083, 6084, 6085 and 609A. */
  accelerationUnit: number;
}

/** Ramps and speeds of the objects in motor counts. */
export class MrJeCUnits {
  readonly #objects: MrJeCObjects;
  readonly #scale: MrJeCScale;

  constructor(objects: MrJeCObjects, scale: MrJeCScale) {
    this.#objects = objects;
    this.#scale = scale;
  }

  speed(index: number, entry = 0): number {
    return this.#objects.get(index, entry) * this.#scale.velocityUnit;
  }

  /** Motor counts/s in the drive's velocity unit. */
  velocityOf(countsPerS: number): number {
    return Math.round(countsPerS / this.#scale.velocityUnit);
  }

  ramp(index: number): number {
    return Math.max(1, this.#objects.get(index)) * this.#scale.accelerationUnit;
  }

  /** 605D: 1 profile ramp, the rest the quick-stop ramp. */
  get haltRamp(): number {
    const option = this.#objects.get(object.haltOption);
    return this.ramp(option === 1 ? object.profileDeceleration : object.quickStopDeceleration);
  }

  /** 605A: 1 and 5 profile ramp, 2 and 6 quick-stop ramp, the current and voltage limits twice that. */
  get quickStopRamp(): number {
    const option = this.#objects.get(object.quickStopOption) % 4;
    if (option === 1) return this.ramp(object.profileDeceleration);
    return this.ramp(object.quickStopDeceleration) * (option === 2 ? 1 : 2);
  }

  /** The reference run of 6098; `"here"` for 35 and 37, undefined for a method the drive does not have. */
  homingPlan(): HomingPlan | "here" | undefined {
    const method = this.#objects.get(object.homingMethod);
    if (method === 35 || method === 37) return "here";
    const search = searchOf(method);
    if (!search) return undefined;
    const ramp = this.ramp(object.homingAcceleration);
    const fast = this.speed(object.homingSpeeds, 0);
    const slow = this.speed(object.homingSpeeds, 1);
    return { ...search, fast, slow, acceleration: ramp, deceleration: ramp, travelMax: null };
  }
}

// Methods 1 to 14 add an index pulse to 17 to 30; the edge is taken for both, an index pulse is less than a turn away.
function searchOf(method: number): Pick<HomingPlan, "direction" | "reference"> | undefined {
  if (method === 33 || method === 34) return { direction: method === 33 ? -1 : 1, reference: "index" };
  const plain = method >= 1 && method <= 14 ? method + 16 : method;
  if (plain === 17) return { direction: -1, reference: "limit-switch" };
  if (plain === 18) return { direction: 1, reference: "limit-switch" };
  const upwards = plain === 19 || plain === 20 || (plain >= 23 && plain <= 26);
  if (plain >= 19 && plain <= 30) return { direction: upwards ? 1 : -1, reference: "home-switch" };
  return undefined;
}
