import type { Clock, Timer } from "@servofleet/runtime/clock";
import type { Due, SimTime } from "./sim-time.ts";

/** What a process does to the world outside it; between any two of them it may be killed. */
export type Step = "append" | "commit" | "order" | "stop" | "report" | "beat" | "wire";

/** The step at which a process is killed. */
export interface DeathAt {
  readonly step: Step;
  /** The n-th from now on, from 1. */
  left: number;
  /** Killed before the step has happened, or right after it. */
  readonly when: "before" | "after";
}

/**
 * One process: its view of the clock, and its end. What is killed computes on for as long as its present turn lasts, but
 * none of its timers fires any more and nothing it does leaves it: for everybody else it has died at that very step.
 */
export class SimLife implements Clock {
  readonly name: string;
  readonly #time: SimTime;
  readonly #atEnd: ((why: string) => void)[] = [];
  #death: DeathAt | undefined;
  #alive = true;
  /** Told of what its code threw out of a timer: a crash. */
  onCrash: (error: unknown) => void = () => undefined;

  constructor(name: string, time: SimTime) {
    this.name = name;
    this.#time = time;
  }

  get alive(): boolean {
    return this.#alive;
  }

  monotonicMs = (): number => this.#time.nowMs;
  monotonicNs = (): bigint => BigInt(this.#time.nowNs);
  wallUs = (): number => this.#time.wallUs;

  after = (ms: number, fn: () => void): Timer => {
    const due = this.#time.schedule(ms, () => this.#guarded(fn));
    return cancelling(() => due);
  };

  every = (ms: number, fn: () => void): Timer => {
    const again = (): Due =>
      this.#time.schedule(Math.max(ms, 0.001), () => {
        if (!this.#alive) return;
        due = again();
        this.#guarded(fn);
      });
    let due = again();
    return cancelling(() => due);
  };

  soon = (fn: () => void): void => void this.after(0, fn);

  /** Called once, when it ends; at once when it has. */
  atEnd(act: (why: string) => void): void {
    if (this.#alive) this.#atEnd.push(act);
    else act("dead already");
  }

  /** Killed, now. Idempotent. */
  end(why: string): void {
    if (!this.#alive) return;
    this.#alive = false;
    for (const act of this.#atEnd) act(why);
  }

  /** Will be killed at that step. */
  dieAt(death: DeathAt): void {
    this.#death = death;
  }

  /** Will not be killed after all. */
  spare(): void {
    this.#death = undefined;
  }

  /** A step of the process towards the world: nothing when it is dead, or dies of it. */
  does<T>(step: Step, act: () => T): T | undefined {
    if (!this.#alive) return undefined;
    const death = this.#death;
    if (death?.step !== step || --death.left > 0) return act();
    const why = `${death.when} ${step}`;
    if (death.when === "before") {
      this.end(why);
      return undefined;
    }
    const done = act();
    this.end(why);
    return done;
  }

  #guarded(fn: () => void): void {
    if (!this.#alive) return;
    try {
      fn();
    } catch (error) {
      this.onCrash(error);
    }
  }
}

function cancelling(due: () => Due): Timer {
  return {
    cancel: () => {
      due().cancelled = true;
    },
  };
}
