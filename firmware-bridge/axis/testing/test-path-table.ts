import type { Clock } from "@servofleet/runtime/clock";
import type { RegisterMap } from "./memory-link.ts";
import { TestMotor } from "./test-motor.ts";

const TAKE_MS = 8;
const FAR = 2_000_000_000;

/** The registers of an iCL-RS as drives.md 2.3 gives them: enough of its behaviour for the handshake's tests. */
export class TestPathTable implements RegisterMap {
  readonly motor: TestMotor;
  /** Triggers as the drive took them, oldest first. */
  readonly triggers: number[] = [];
  enabled = false;
  homed = false;
  alarm = 0;
  /** Answers this exception to every write, when set. */
  refuses: number | null = null;
  /** Homing never finds its switch. */
  homeSwitchDead = false;
  readonly #clock: Clock;
  readonly #words = new Map<number, number>([
    [0x0001, 10_000],
    [0x6017, 50],
  ]);
  #readback = 0;
  #complete = true;
  #pending: { word: number; atMs: number } | null = null;
  #active: "path" | "home" | "stop" | null = null;
  #stuck = false;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.motor = new TestMotor(clock);
  }

  word(address: number): number {
    return this.#words.get(address) ?? 0;
  }

  i32(high: number): number {
    return (this.word(high) << 16) | this.word(high + 1);
  }

  read(address: number, quantity: number): readonly number[] {
    this.#advance();
    return Array.from({ length: quantity }, (_, n) => this.#register(address + n));
  }

  write(address: number, values: readonly number[]): void {
    this.#advance();
    if (this.refuses !== null) throw this.refuses;
    for (const [n, value] of values.entries()) this.#set(address + n, value);
  }

  powerCycle(): void {
    this.motor.place(0);
    this.homed = false;
    this.enabled = false;
    this.#active = this.#pending = null;
    this.#readback = 0;
  }

  #set(address: number, value: number): void {
    this.#words.set(address, value);
    if (address === 0x000f) this.enabled = value === 1 && this.alarm === 0;
    if (address === 0x000f && value === 0) this.motor.halt();
    if (address === 0x1801 && value === 0x1111) this.alarm = 0;
    if (address === 0x6002 || (address === 0x6207 && value !== 0)) this.#trigger(value);
  }

  #trigger(word: number): void {
    this.triggers.push(word);
    if (word === 0x040) {
      this.#pending = null;
      this.motor.halt();
      this.#active = null;
      this.#readback = 0x040;
      this.#stuck = true;
      return;
    }
    if (!this.enabled || this.alarm !== 0) return;
    this.#stuck = false;
    this.#pending = { word, atMs: this.#clock.monotonicMs() + TAKE_MS };
  }

  #advance(): void {
    const pending = this.#pending;
    if (pending && this.#clock.monotonicMs() >= pending.atMs) {
      this.#pending = null;
      this.#take(pending.word);
    }
    if (this.#active && !this.motor.running) {
      this.#complete = true;
      if (this.#active === "home" && !this.homeSwitchDead) this.homed = true;
      if (this.#active === "home" && this.homed) this.motor.place(this.i32(0x600b));
      this.#active = null;
      this.#readback = 0;
    }
  }

  #take(word: number): void {
    this.#complete = false;
    if (word === 0x021) {
      this.motor.place(0);
      this.homed = this.#complete = true;
      return;
    }
    if (word === 0x020) {
      this.homed = false;
      this.#active = "home";
      this.#readback = 0x020;
      this.motor.go(this.motor.position - 2000, 10_000);
      return;
    }
    this.#active = "path";
    this.#readback = 0x100;
    const rpm = (this.word(0x6203) << 16) >> 16;
    const speed = (Math.abs(rpm) * 10_000) / 60;
    if ((this.word(0x6200) & 0x0f) === 2) this.motor.go(rpm > 0 ? FAR : -FAR, speed);
    else this.motor.go(this.i32(0x6201), speed);
  }

  #register(address: number): number {
    const pair = (value: number, high: number) => (address === high ? (value >>> 16) & 0xffff : value & 0xffff);
    const bits = [
      this.alarm !== 0,
      this.enabled,
      this.motor.running,
      false,
      this.#complete,
      this.#complete,
      this.homed,
    ];
    if (address === 0x1003) return bits.reduce((word, bit, n) => word | (Number(bit) << n), 0);
    if (address === 0x6002) return this.#pending?.word ?? (this.#stuck ? 0x040 : this.#readback);
    if (address === 0x601d) return this.homeSwitchDead && this.#complete && !this.homed ? 0x100 : 0;
    if (address === 0x2203) return this.alarm;
    if (address === 0x602c || address === 0x602d) return pair(this.motor.position, 0x602c);
    if (address === 0x1046 || address === 0x1047) return pair(Math.round((this.motor.velocity * 60) / 10_000), 0x1046);
    if (address === 0x1010 || address === 0x1011) return 0;
    return this.word(address);
  }
}
