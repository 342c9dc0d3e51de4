import type { PlantConfig } from "./motor.ts";
import { ServoDrive } from "./servo-drive.ts";
import type { DriveState } from "./simulated-drive.ts";

const TABLE_BYTES = 100;
/** Below this address the table is EEPROM. */
const RAM_FROM = 40;
const at = {
  model: 3,
  responseLevel: 8,
  mode: 33,
  torqueEnable: 40,
  acceleration: 41,
  goalPosition: 42,
  goalSpeed: 46,
  torqueLimit: 48,
  lock: 55,
  presentPosition: 56,
  presentSpeed: 58,
  presentLoad: 60,
  voltage: 62,
  temperature: 63,
  status: 65,
  moving: 66,
  current: 69,
} as const;
const OVERLOAD = 32;
/** Steps of speed and acceleration as vendor examples have them: 0.732 rpm and 8.7 deg/s2. */
const COUNTS_PER_S = (0.732 / 60) * 4096;
const COUNTS_PER_S2 = (8.7 / 360) * 4096;
const SPEED_MAX = 65;
const NO_RAMP = 1e6;
const BOOT_S = 0.3;

/**
 * A Feetech STS3215 in position mode: little-endian, signs as a bit, status bits in every answer, an EEPROM that keeps
 * nothing while it is locked, and no watchdog: it goes on to its last goal whatever happens to the master.
 */
export class FeetechDrive extends ServoDrive {
  readonly model = "feetech-sts3215";
  /** The protocol has no word for it: an unknown instruction changes nothing and is answered like any other. */
  protected readonly unknownInstruction = 0;
  /** The EEPROM as it will be after the next power-up. */
  readonly #kept: Buffer;

  constructor(id: string, unit: number, plant: Partial<PlantConfig> = {}) {
    super(id, unit, TABLE_BYTES, 1, plant);
    this.table.writeUInt16LE(777, at.model);
    this.table[5] = unit;
    this.table[7] = 250;
    this.table[at.responseLevel] = 1;
    this.table.writeUInt16LE(4095, 11);
    this.#kept = Buffer.from(this.table.subarray(0, RAM_FROM));
    this.#presets();
  }

  state(): DriveState {
    const alarm = this.table[at.status] ?? 0;
    const enabled = this.motor.powered;
    const position = Math.round(this.motor.position);
    const state = alarm !== 0 ? "status error" : enabled ? "torque on" : "torque off";
    return { state, enabled, homed: true, moving: this.#moving, alarm, position };
  }

  powerCycle(): void {
    this.motor.power(false);
    this.#kept.copy(this.table);
    this.#presets();
    this.boot(BOOT_S);
  }

  protected pingData(): Buffer {
    return Buffer.alloc(0);
  }

  protected statusBits(): number {
    return this.table[at.status] ?? 0;
  }

  protected answers(kind: "ping" | "read" | "other"): boolean {
    return kind !== "other" || this.table[at.responseLevel] !== 0;
  }

  protected read(address: number, count: number): Buffer {
    this.#refresh();
    const bytes = Buffer.alloc(count);
    this.table.copy(bytes, 0, address, Math.min(TABLE_BYTES, address + count));
    return bytes;
  }

  protected write(address: number, data: Buffer): number {
    const writable = data.subarray(0, Math.max(0, Math.min(at.presentPosition, TABLE_BYTES) - address));
    writable.copy(this.table, address);
    if (this.table[at.lock] === 0)
      writable.copy(this.#kept, Math.min(address, RAM_FROM), 0, Math.max(0, RAM_FROM - address));
    const covers = (register: number) => address <= register && register < address + writable.length;
    if (covers(at.torqueEnable)) this.#torque(this.table[at.torqueEnable] === 1);
    if (covers(at.goalPosition) && covers(at.goalPosition + 1)) this.#go();
    return 0;
  }

  protected overload(): void {
    this.table[at.status] = (this.table[at.status] ?? 0) | OVERLOAD;
    this.table[at.torqueEnable] = 0;
    this.motor.power(false);
  }

  protected watch(): void {
    // Nothing happens by itself: this servo has no watchdog.
  }

  #presets(): void {
    this.table.fill(0, RAM_FROM);
    this.table[at.lock] = 1;
    this.table.writeUInt16LE(1000, at.torqueLimit);
    this.table[at.voltage] = 120;
    this.table[at.temperature] = 30;
  }

  #torque(on: boolean): void {
    this.table[at.status] = (this.table[at.status] ?? 0) & ~OVERLOAD;
    this.motor.power(on);
    this.note(on ? "enable" : "disable", true, null, `40=${on ? 1 : 0}`);
  }

  #go(): void {
    const target = signed(this.table.readUInt16LE(at.goalPosition), 15);
    const steps = Math.abs(signed(this.table.readUInt16LE(at.goalSpeed), 15));
    const speed = Math.min(steps || SPEED_MAX, SPEED_MAX) * COUNTS_PER_S;
    const ramp = (this.table[at.acceleration] ?? 0) * COUNTS_PER_S2 || NO_RAMP;
    this.motor.go({ kind: "position", target, speed, acceleration: ramp, deceleration: ramp });
    this.note("start-absolute", this.motor.powered, target, `42=${target}`);
  }

  get #moving(): boolean {
    return !this.motor.demand.atRest || Math.abs(this.motor.velocity) > COUNTS_PER_S;
  }

  #refresh(): void {
    const { motor } = this;
    const load = Math.max(-1000, Math.min(1000, Math.round((motor.torque / motor.plant.torqueMax) * 1000)));
    this.table.writeUInt16LE(unsigned(Math.round(motor.position), 15), at.presentPosition);
    this.table.writeUInt16LE(unsigned(Math.round(motor.velocity / COUNTS_PER_S), 15), at.presentSpeed);
    this.table.writeUInt16LE(unsigned(load, 10), at.presentLoad);
    this.table[at.moving] = this.#moving ? 1 : 0;
    this.table.writeUInt16LE(Math.abs(load), at.current);
  }
}

/** Sign and magnitude: the sign is a bit of its own (lerobot, feetech.py). */
const unsigned = (value: number, signBit: number): number => Math.abs(value) | (value < 0 ? 1 << signBit : 0);
const signed = (word: number, signBit: number): number => {
  const magnitude = word & ((1 << signBit) - 1);
  return word & (1 << signBit) ? -magnitude : magnitude;
};
