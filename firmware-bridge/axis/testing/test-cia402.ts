import type { Clock } from "@servofleet/runtime/clock";
import type { RegisterMap } from "./memory-link.ts";
import { TestMotor } from "./test-motor.ts";

const ACK_MS = 3;
const MODE_MS = 10;
const FAR = 2_000_000_000;
type State = "disabled" | "ready" | "switched-on" | "enabled" | "quick-stop" | "fault";
const PATTERN: Readonly<Record<State, number>> = {
  disabled: 0x40,
  ready: 0x21,
  "switched-on": 0x23,
  enabled: 0x27,
  "quick-stop": 0x07,
  fault: 0x08,
};

/** An MR-JE-C's objects as registers, as drives.md 1 and 2.2 give them, with a target reached that goes stale. */
export class TestCia402 implements RegisterMap {
  readonly motor: TestMotor;
  /** Controlwords as the drive took them, oldest first. */
  readonly controlwords: number[] = [];
  state: State = "disabled";
  error = 0;
  mode = 1;
  /** 605A: 2 ends in Switch on disabled, 6 stays in Quick stop active. */
  quickStopOption = 2;
  /** The home switch is never seen. */
  homingFails = false;
  /** A pattern that no state matches is shown instead of the status. */
  strange = false;
  readonly #clock: Clock;
  readonly #words = new Map<number, readonly number[]>();
  #control = 0;
  #reached = true;
  #acknowledged = false;
  #taking: { atMs: number; target: number } | null = null;
  #modeAt: { atMs: number; mode: number } | null = null;
  #homing: "idle" | "running" | "attained" | "error" = "idle";

  constructor(clock: Clock) {
    this.#clock = clock;
    this.motor = new TestMotor(clock);
  }

  i32(address: number): number {
    const [low = 0, high = 0] = this.#words.get(address) ?? [];
    return (high << 16) | low;
  }

  read(address: number, quantity: number): readonly number[] {
    this.#advance();
    const words = this.#object(address);
    return Array.from({ length: quantity }, (_, n) => words[n] ?? 0);
  }

  write(address: number, values: readonly number[]): void {
    this.#advance();
    this.#words.set(address, values);
    if (address === 0x6040) this.#controlled(values[0] ?? 0);
    if (address === 0x6060) this.#modeAt = { atMs: this.#clock.monotonicMs() + MODE_MS, mode: values[0] ?? 0 };
    if (address === 0x60ff && this.mode === 3 && this.state === "enabled") this.#velocity();
  }

  trip(error: number): void {
    this.error = error;
    this.state = "fault";
    this.motor.halt();
  }

  powerCycle(): void {
    this.state = "disabled";
    this.#control = 0;
    this.#words.delete(0x6040);
    this.motor.place(0);
    this.mode = 1;
    this.#homing = "idle";
  }

  #controlled(word: number): void {
    const before = this.#control;
    this.#control = word;
    this.controlwords.push(word);
    if ((word & ~before & 0x80) !== 0 && this.state === "fault") {
      this.state = "disabled";
      this.error = 0;
      return;
    }
    if (this.state === "fault") return;
    if ((word & 0x02) === 0) {
      this.#off("disabled");
      return;
    }
    if ((word & 0x04) === 0) {
      this.#quickStop();
      return;
    }
    if ((word & 0x01) === 0) {
      this.#off("ready");
      return;
    }
    if (this.state === "disabled" || this.state === "quick-stop") return;
    if ((word & 0x08) === 0) {
      this.#off("switched-on");
      return;
    }
    if (this.state === "ready") return;
    this.state = "enabled";
    this.#operate(word, before);
  }

  #operate(word: number, before: number): void {
    if ((word & 0x100) !== 0) {
      this.#homing = "idle";
      this.motor.halt();
      return;
    }
    if (this.mode === 3) {
      this.#velocity();
      return;
    }
    if (this.mode === 6 && (word & 0x10) === 0 && this.#homing === "running") this.#homing = "idle";
    if ((word & 0x10) === 0) this.#acknowledged = false;
    if ((word & ~before & 0x10) === 0) return;
    if (this.mode === 6) {
      this.#homing = this.homingFails ? "error" : "running";
      this.motor.go(this.motor.position - 2000, 20_000);
      return;
    }
    if (!this.#acknowledged) this.#taking = { atMs: this.#clock.monotonicMs() + ACK_MS, target: this.i32(0x607a) };
  }

  #quickStop(): void {
    if (this.state !== "enabled") {
      this.#off("disabled");
      return;
    }
    this.#off(this.quickStopOption >= 5 ? "quick-stop" : "disabled");
  }

  #off(state: State): void {
    if (this.state === "disabled" && state === "switched-on") return;
    this.state = state;
    this.motor.halt();
    this.#taking = null;
    this.#acknowledged = false;
    this.#reached = true;
    this.#homing = "idle";
  }

  #velocity(): void {
    const speed = this.i32(0x60ff);
    if (speed === 0) this.motor.halt();
    else this.motor.go(Math.sign(speed) * FAR, Math.abs(speed));
  }

  #advance(): void {
    const now = this.#clock.monotonicMs();
    if (this.#modeAt && now >= this.#modeAt.atMs) {
      this.mode = this.#modeAt.mode;
      this.#modeAt = null;
      this.#homing = "idle";
      this.#acknowledged = false;
    }
    if (this.#taking && now >= this.#taking.atMs) {
      this.motor.go(this.#taking.target, this.i32(0x6081));
      this.#taking = null;
      this.#acknowledged = true;
      this.#reached = false;
    }
    if (this.#homing === "running" && !this.motor.running) {
      this.motor.place(0);
      this.#homing = "attained";
    }
    if (!this.#reached && !this.motor.running && (this.#control & 0x100) === 0) this.#reached = true;
  }

  #object(address: number): readonly number[] {
    const i32 = (value: number) => [value & 0xffff, (value >>> 16) & 0xffff];
    if (address === 0x1000) return i32(0x0002_0192);
    if (address === 0x6041) return [this.strange ? 0x0001 : this.#statusword()];
    if (address === 0x6061) return [this.mode];
    if (address === 0x6064) return i32(this.motor.position);
    if (address === 0x606c) return i32(Math.round(this.motor.velocity));
    if (address === 0x603f) return [this.error];
    return this.#words.get(address) ?? [];
  }

  #statusword(): number {
    const bits = { reached: 1 << 10, modeA: 1 << 12, modeB: 1 << 13 };
    const base = PATTERN[this.state] | 0x210;
    if (this.state !== "enabled") return base;
    if (this.mode === 6) {
      if (this.#homing === "attained") return base | bits.modeA | bits.reached;
      if (this.#homing === "error") return base | bits.modeB | bits.reached;
      return this.#homing === "running" ? base : base | bits.reached;
    }
    const halted = (this.#control & 0x100) !== 0;
    const reached = this.mode === 3 ? true : halted ? !this.motor.running : this.#reached;
    return base | (reached ? bits.reached : 0) | (this.#acknowledged ? bits.modeA : 0);
  }
}
