import { type DemandGoal, ProfileDemand } from "./profile-demand.ts";

/** The machine at the motor's end. Positions are true machine counts, which no drive counter can change. */
export interface PlantConfig {
  /** Where the axis stands when the simulation starts, counts. */
  startAt: number;
  /** Centre and width of the home switch, counts; `null`: there is none. */
  homeSwitch: { at: number; width: number } | null;
  /** Limit switches act below the first and above the second position, counts; `null`: not wired. */
  limitSwitches: { negative: number; positive: number } | null;
  /** The axis cannot leave this range, counts. */
  hardStops: { negative: number; positive: number };
  /** Distance of the index pulses, counts. */
  countsPerRevolution: number;
  /** Natural frequency of the position loop, 1/s; lower means more lag. */
  stiffness: number;
  /** Share of demanded speed and acceleration that is fed forward (0 to 1); the rest shows as following error in motion. */
  feedForward: number;
  /** Acceleration at 100 % of rated torque, counts/s². */
  ratedAcceleration: number;
  /** Largest torque, % of rated. */
  torqueMax: number;
  /** Constant load, % of rated torque, pulling in the negative direction. */
  load: number;
  /** Viscous friction, % of rated torque per count/s. */
  friction: number;
}

/** A bench axis of 52 revolutions with its switches at the lower end; overridden per drive in LINKS.yaml. */
export const benchPlant: PlantConfig = {
  startAt: 0,
  homeSwitch: { at: -5000, width: 2000 },
  limitSwitches: { negative: -20_000, positive: 500_000 },
  hardStops: { negative: -25_000, positive: 505_000 },
  countsPerRevolution: 10_000,
  stiffness: 125,
  feedForward: 0.8,
  ratedAcceleration: 4_000_000,
  torqueMax: 300,
  load: 0,
  friction: 1e-5,
};

const STEP_S = 0.0005;
const COAST_TIME_S = 0.05;

/**
 * One motor with its drive's position loop and its mechanics. Knows no clock: time comes in as `advance(dt)`.
 * The shaft follows the demand as a second-order lag whose torque is limited, so a blocked or overloaded axis
 * falls behind for the same reason a real one does.
 */
export class Motor {
  readonly plant: PlantConfig;
  readonly demand = new ProfileDemand();
  position: number;
  velocity = 0;
  /** % of rated torque. */
  torque = 0;
  blocked = false;
  homeSwitchDead = false;
  #powered = false;

  constructor(plant: PlantConfig) {
    this.plant = plant;
    this.position = plant.startAt;
    this.demand.place(plant.startAt);
  }

  get powered(): boolean {
    return this.#powered;
  }

  /** Switches the power stage. Without power the shaft coasts to rest and the demand follows it. */
  power(on: boolean): void {
    if (on === this.#powered) return;
    this.#powered = on;
    this.torque = on ? this.plant.load : 0;
    this.demand.place(this.position);
  }

  /** Gives the generator a new goal; without power it is ignored. */
  go(goal: DemandGoal): void {
    if (this.#powered) this.demand.goal = goal;
  }

  /** Demand minus actual, counts. */
  get followingError(): number {
    return this.demand.position - this.position;
  }

  get homeSwitch(): boolean {
    const home = this.plant.homeSwitch;
    return !this.homeSwitchDead && home !== null && Math.abs(this.position - home.at) <= home.width / 2;
  }

  get negativeLimit(): boolean {
    return this.plant.limitSwitches !== null && this.position <= this.plant.limitSwitches.negative;
  }

  get positiveLimit(): boolean {
    return this.plant.limitSwitches !== null && this.position >= this.plant.limitSwitches.positive;
  }

  /** Displaces the shaft by `counts` at once, as a crane or a person would. */
  push(counts: number): void {
    this.position += counts;
    if (!this.#powered) this.demand.place(this.position);
    this.#hold();
  }

  /** True when nothing would change by itself. */
  get idle(): boolean {
    const still = Math.abs(this.velocity) < 1 && (!this.#powered || Math.abs(this.followingError) < 0.5);
    return this.demand.atRest && still;
  }

  /** Advances by one fixed step; `dt` of the caller is cut into these, see `motorSteps`. */
  step(dt: number = STEP_S): void {
    if (!this.#powered) {
      this.#coast(dt);
      return;
    }
    const before = this.demand.velocity;
    this.demand.step(dt);
    const acceleration = (this.demand.velocity - before) / dt;
    const { stiffness, feedForward, ratedAcceleration, torqueMax, load, friction } = this.plant;
    // Without the acceleration the lag at the end of the ramp would carry the shaft beyond its target.
    const wanted =
      stiffness * stiffness * this.followingError +
      2 * stiffness * (feedForward * this.demand.velocity - this.velocity) +
      feedForward * acceleration;
    // The loop's integral part carries load and friction, so they cost torque and not position at rest.
    const carried = load + friction * this.velocity;
    const torque = clamp((wanted / ratedAcceleration) * 100 + carried, -torqueMax, torqueMax);
    this.torque = torque;
    this.velocity += (((torque - carried) * ratedAcceleration) / 100) * dt;
    this.#move(dt);
    this.#settle();
  }

  #coast(dt: number): void {
    this.torque = 0;
    this.velocity *= Math.exp(-dt / COAST_TIME_S);
    if (Math.abs(this.velocity) < 1) this.velocity = 0;
    this.#move(dt);
    this.demand.place(this.position);
  }

  #move(dt: number): void {
    if (this.blocked) this.velocity = 0;
    this.position += this.velocity * dt;
    this.#hold();
  }

  #hold(): void {
    const { negative, positive } = this.plant.hardStops;
    const inside = clamp(this.position, negative, positive);
    if (inside !== this.position) this.velocity = 0;
    this.position = inside;
  }

  // The last fraction of a count would take for ever; the encoder cannot see it.
  #settle(): void {
    if (!this.demand.atRest || Math.abs(this.followingError) >= 0.5 || Math.abs(this.velocity) >= 5) return;
    this.position = this.demand.position;
    this.velocity = 0;
    this.torque = this.plant.load;
  }
}

/** Length of one simulation step, s. */
export const motorStepS = STEP_S;

function clamp(value: number, low: number, high: number): number {
  return Math.min(high, Math.max(low, value));
}
