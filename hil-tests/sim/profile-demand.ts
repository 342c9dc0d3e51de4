/** What the generator is doing; lengths in counts, speeds in counts/s, ramps in counts/s². */
export type DemandGoal =
  | { kind: "hold" }
  | { kind: "position"; target: number; speed: number; acceleration: number; deceleration: number }
  | { kind: "velocity"; speed: number; acceleration: number; deceleration: number }
  | { kind: "stop"; deceleration: number };

/**
 * Trapezoid generator of a drive: where the axis ought to be at each step.
 * A new goal starts from the present demand speed, so an interrupted move bends without a jump.
 */
export class ProfileDemand {
  position = 0;
  velocity = 0;
  goal: DemandGoal = { kind: "hold" };

  /** True when the demand stands and has nothing left to do. */
  get atRest(): boolean {
    const done = this.goal.kind === "hold" || (this.goal.kind === "velocity" && this.goal.speed === 0);
    return done && this.velocity === 0;
  }

  /** Puts the demand somewhere at once (drive off, homing zero); drops the goal. */
  place(position: number): void {
    this.position = position;
    this.velocity = 0;
    this.goal = { kind: "hold" };
  }

  /** Moves the demand on by `dt` seconds (0 < dt <= 0.01). */
  step(dt: number): void {
    const goal = this.goal;
    switch (goal.kind) {
      case "hold":
        return;
      case "position":
        this.#stepToTarget(goal, dt);
        return;
      case "velocity":
        this.#stepToSpeed(goal.speed, goal.acceleration, goal.deceleration, dt);
        return;
      case "stop":
        this.#stepToSpeed(0, goal.deceleration, goal.deceleration, dt);
        if (this.velocity === 0) this.goal = { kind: "hold" };
        return;
      default:
        goal satisfies never;
    }
  }

  #stepToTarget(goal: Extract<DemandGoal, { kind: "position" }>, dt: number): void {
    const left = goal.target - this.position;
    // The speed from which the rest of the way is just enough to stop, seen from the end of this step.
    const half = (goal.deceleration * dt) / 2;
    const stoppable = Math.sqrt(half * half + 2 * goal.deceleration * Math.abs(left)) - half;
    const wanted = Math.sign(left) * Math.min(goal.speed, stoppable);
    this.velocity = ramp(this.velocity, wanted, goal.acceleration, goal.deceleration, dt);
    const slowEnough = Math.abs(this.velocity) <= 2 * goal.deceleration * dt;
    if (slowEnough && Math.abs(left) <= Math.max(Math.abs(this.velocity) * dt, 0.5)) {
      this.place(goal.target);
      return;
    }
    this.position += this.velocity * dt;
  }

  #stepToSpeed(speed: number, acceleration: number, deceleration: number, dt: number): void {
    const before = this.velocity;
    this.velocity = ramp(before, speed, acceleration, deceleration, dt);
    this.position += ((before + this.velocity) / 2) * dt;
  }
}

// Slows down with the deceleration and, when the direction turns, first comes to zero.
function ramp(now: number, wanted: number, acceleration: number, deceleration: number, dt: number): number {
  const speedsUp = Math.abs(wanted) > Math.abs(now) && now * wanted >= 0;
  const stepMax = (speedsUp ? acceleration : deceleration) * dt;
  const aim = now * wanted < 0 ? 0 : wanted;
  const gap = aim - now;
  return Math.abs(gap) <= stepMax ? aim : now + Math.sign(gap) * stepMax;
}
