import type { Motor } from "./motor.ts";

/** A reference run in motor counts. */
export interface HomingPlan {
  /** Way of the search and of the final approach. */
  direction: 1 | -1;
  reference: "home-switch" | "limit-switch" | "index";
  /** Search speed and creep speed, counts/s. */
  fast: number;
  slow: number;
  /** counts/s². */
  acceleration: number;
  deceleration: number;
  /** Gives up after this way, counts; `null`: only the switches bound it. */
  travelMax: number | null;
}

/** How a run ended; `attained` carries the reference edge in true counts. */
export type HomingResult =
  | { at: "running" }
  | { at: "attained"; edge: number }
  | { at: "failed"; why: "limit" | "travel" };

/**
 * The reference run both simulated drives use: search fast, stop, back off, creep onto the edge.
 * It turns round once at a limit switch; meeting the second limit it gives up. Without limit switches a run whose
 * home switch is dead ends at the hard stop, and the drive's following-error watch ends it.
 */
export class HomingSequence {
  result: HomingResult = { at: "running" };
  readonly #motor: Motor;
  readonly #plan: HomingPlan;
  readonly #from: number;
  #phase: "search" | "brake" | "back-off" | "creep" | "rest" = "search";
  #turned = false;
  #seen = false;
  /** Where the search met the switch. */
  #touch = 0;
  #edge = 0;

  constructor(motor: Motor, plan: HomingPlan) {
    this.#motor = motor;
    this.#plan = plan;
    this.#from = motor.position;
    if (plan.reference === "index") this.#creepToIndex();
    else this.#run(plan.direction, plan.fast);
  }

  /** True once the axis stands and the result is final. */
  get finished(): boolean {
    return this.result.at !== "running" && this.#motor.demand.atRest;
  }

  /** One step of the sequence; call it after the motor's own step. */
  step(): void {
    if (this.result.at !== "running") return;
    const { travelMax } = this.#plan;
    if (travelMax !== null && Math.abs(this.#motor.position - this.#from) > travelMax) {
      this.#fail("travel");
      return;
    }
    switch (this.#phase) {
      case "search":
        this.#search();
        return;
      case "brake":
        this.#brake();
        return;
      case "back-off":
        this.#backOff();
        return;
      case "creep":
        this.#creep();
        return;
      case "rest":
        if (this.#motor.demand.atRest) this.result = { at: "attained", edge: this.#edge };
        return;
      default:
        this.#phase satisfies never;
    }
  }

  get #way(): 1 | -1 {
    return this.#turned ? (-this.#plan.direction as 1 | -1) : this.#plan.direction;
  }

  get #active(): boolean {
    if (this.#plan.reference === "home-switch") return this.#motor.homeSwitch;
    return this.#plan.direction < 0 ? this.#motor.negativeLimit : this.#motor.positiveLimit;
  }

  #search(): void {
    if (this.#active) {
      this.#touch = this.#motor.position;
      this.#stop();
      this.#phase = "brake";
      return;
    }
    const limit = this.#way < 0 ? this.#motor.negativeLimit : this.#motor.positiveLimit;
    if (!limit) return;
    if (this.#turned) {
      this.#fail("limit");
      return;
    }
    this.#turned = true;
    this.#run(this.#way, this.#plan.fast);
  }

  #brake(): void {
    if (!this.#motor.idle) return;
    // Stopped beyond a narrow switch on the far side, the edge still lies ahead of the back-off.
    this.#seen = this.#active;
    // A switch that was just grazed on the way in lies ahead still, as one that was met from behind.
    const grazed = (this.#motor.position - this.#touch) * this.#way <= 0;
    const alreadyClear = !this.#active && (this.#turned || grazed);
    this.#phase = alreadyClear ? "creep" : "back-off";
    this.#run(alreadyClear ? this.#plan.direction : (-this.#plan.direction as 1 | -1), this.#plan.slow);
  }

  #backOff(): void {
    if (this.#active) this.#seen = true;
    if (this.#active || !this.#seen) {
      this.#failAtLimit(-this.#plan.direction);
      return;
    }
    if (this.#plan.reference === "limit-switch") {
      this.#latch(this.#motor.position);
      return;
    }
    this.#phase = "creep";
    this.#run(this.#plan.direction, this.#plan.slow);
  }

  #creep(): void {
    if (this.#active) this.#latch(this.#motor.position);
    else this.#failAtLimit(this.#plan.direction);
  }

  #failAtLimit(way: number): void {
    if (this.#plan.reference === "limit-switch") return;
    if (way < 0 ? this.#motor.negativeLimit : this.#motor.positiveLimit) this.#fail("limit");
  }

  #latch(edge: number): void {
    this.#edge = edge;
    this.#stop();
    this.#phase = "rest";
  }

  #creepToIndex(): void {
    const { direction, slow, acceleration, deceleration } = this.#plan;
    const turn = this.#motor.plant.countsPerRevolution;
    const turns = this.#motor.position / turn;
    this.#edge = (direction > 0 ? Math.floor(turns) + 1 : Math.ceil(turns) - 1) * turn;
    this.#motor.go({ kind: "position", target: this.#edge, speed: slow, acceleration, deceleration });
    this.#phase = "rest";
  }

  #fail(why: "limit" | "travel"): void {
    this.#stop();
    this.result = { at: "failed", why };
  }

  #run(way: 1 | -1, speed: number): void {
    const { acceleration, deceleration } = this.#plan;
    this.#motor.go({ kind: "velocity", speed: way * speed, acceleration, deceleration });
  }

  #stop(): void {
    this.#motor.go({ kind: "stop", deceleration: this.#plan.deceleration });
  }
}
