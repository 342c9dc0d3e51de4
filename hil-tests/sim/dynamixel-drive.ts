import { at, ITEMS, RAM_FROM, TABLE_BYTES, type TableItem } from "./dynamixel-table.ts";
import type { PlantConfig } from "./motor.ts";
import { ServoDrive } from "./servo-drive.ts";
import type { DriveState } from "./simulated-drive.ts";

/** Error byte of a status packet (e-manual, Protocol 2.0, Error). */
const ERROR = { instruction: 2, dataRange: 4, dataLength: 5, dataLimit: 6, access: 7, alert: 0x80 } as const;
const OVERLOAD = 1 << 5;
const COUNTS_PER_S = (0.229 / 60) * 4096;
const COUNTS_PER_S2 = (214.577 / 3600) * 4096;
/** Profile acceleration 0 means no ramp at all. */
const NO_RAMP = 1e6;
const TRIPPED = 0xff;
const BOOT_S = 0.3;
/** Written as one they would be half a value: a write covers whole items only. */
const GOALS: readonly number[] = [at.goalPwm, at.goalVelocity, at.goalPosition];

/**
 * A Dynamixel XL430-W250 in position mode as its control table describes it: limits, access rights, alert bit, shutdown
 * that only a reboot ends, profile, and the bus watchdog that latches.
 */
export class DynamixelDrive extends ServoDrive {
  readonly model = "dynamixel-x";
  protected readonly unknownInstruction = ERROR.instruction;
  #heardNs = 0n;

  constructor(id: string, unit: number, plant: Partial<PlantConfig> = {}) {
    super(id, unit, TABLE_BYTES, 2, plant);
    for (const item of ITEMS) this.#set(item.address, item.value);
    this.#set(7, unit);
  }

  override heard(): void {
    this.#heardNs = this.nowNs;
  }

  state(): DriveState {
    const alarm = this.#get(at.hardwareError);
    const enabled = this.motor.powered;
    const tripped = this.#get(at.busWatchdog) === TRIPPED;
    return {
      state: alarm !== 0 ? "hardware error" : tripped ? "watchdog tripped" : enabled ? "torque on" : "torque off",
      enabled,
      homed: true,
      moving: this.#moving,
      alarm,
      position: Math.round(this.motor.position),
    };
  }

  powerCycle(): void {
    this.motor.power(false);
    for (const item of ITEMS) if (item.address >= RAM_FROM) this.#set(item.address, item.value);
    this.boot(BOOT_S);
  }

  protected pingData(): Buffer {
    return Buffer.from([...this.table.subarray(0, 2), this.#get(6)]);
  }

  protected statusBits(): number {
    return this.#get(at.hardwareError) === 0 ? 0 : ERROR.alert;
  }

  protected answers(kind: "ping" | "read" | "other"): boolean {
    const level = this.#get(at.statusReturnLevel);
    return kind === "ping" || level === 2 || (kind === "read" && level === 1);
  }

  protected read(address: number, count: number): Buffer | number {
    if (count < 1 || address + count > TABLE_BYTES) return ERROR.access;
    this.#refresh();
    return Buffer.from(this.table.subarray(address, address + count));
  }

  protected write(address: number, data: Buffer): number {
    const items = ITEMS.filter((item) => item.address >= address && item.address < address + data.length);
    if (!wholeItems(items, address, data.length)) return data.length === 0 ? ERROR.dataLength : ERROR.access;
    for (const item of items) {
      const refusal = this.#refusal(item, valueAt(data, item.address - address, item.size));
      if (refusal !== 0) return refusal;
    }
    for (const item of items) this.#take(item, valueAt(data, item.address - address, item.size));
    return 0;
  }

  protected overload(): void {
    this.#set(at.hardwareError, this.#get(at.hardwareError) | OVERLOAD);
    if ((this.#get(at.shutdown) & OVERLOAD) !== 0) this.#torque(false);
  }

  protected watch(): void {
    const steps = this.#get(at.busWatchdog);
    if (steps === 0 || steps === TRIPPED || !this.motor.powered) return;
    if (this.nowNs - this.#heardNs <= BigInt(steps) * 20_000_000n) return;
    this.#set(at.busWatchdog, TRIPPED);
    this.motor.go({ kind: "stop", deceleration: NO_RAMP });
  }

  #refusal(item: TableItem, value: number): number {
    if (item.access === "r") return ERROR.access;
    if (item.address < RAM_FROM && this.motor.powered) return ERROR.access;
    if (GOALS.includes(item.address) && this.#get(at.busWatchdog) === TRIPPED) return ERROR.dataRange;
    if (item.max !== undefined && Math.abs(value) > item.max) return ERROR.dataRange;
    if (item.address === at.goalPosition && (value < this.#get(at.minPosition) || value > this.#get(at.maxPosition)))
      return ERROR.dataLimit;
    if (item.address === at.goalVelocity && Math.abs(value) > this.#get(at.velocityLimit)) return ERROR.dataLimit;
    return 0;
  }

  #take(item: TableItem, value: number): void {
    this.#set(item.address, value);
    if (item.address === at.torqueEnable) {
      // After a shutdown only a reboot lets torque come back (e-manual, shutdown).
      const obeyed = value === 0 || (this.#get(at.hardwareError) & this.#get(at.shutdown)) === 0;
      this.#torque(obeyed && value === 1);
      this.note(value === 1 ? "enable" : "disable", obeyed, null, `64=${value}`);
    }
    if (item.address === at.goalPosition) this.#go(value);
  }

  #go(target: number): void {
    const obeyed = this.motor.powered;
    const velocity = this.#get(at.profileVelocity) || this.#get(at.velocityLimit);
    const ramp = this.#get(at.profileAcceleration) * COUNTS_PER_S2 || NO_RAMP;
    const speed = velocity * COUNTS_PER_S;
    this.motor.go({ kind: "position", target, speed, acceleration: ramp, deceleration: ramp });
    this.note("start-absolute", obeyed, target, `116=${target}`);
  }

  #torque(on: boolean): void {
    this.#set(at.torqueEnable, on ? 1 : 0);
    if (on && !this.motor.powered) this.#set(at.goalPosition, Math.round(this.motor.position));
    this.motor.power(on);
  }

  get #moving(): boolean {
    return !this.motor.demand.atRest || Math.abs(this.motor.velocity) > this.#get(at.movingThreshold) * COUNTS_PER_S;
  }

  #refresh(): void {
    const { motor } = this;
    const position = Math.round(motor.position);
    const arrived = Math.abs(this.#get(at.goalPosition) - position) <= 10 && motor.demand.atRest;
    this.#set(at.realtimeTick, Math.floor(this.time.nowS * 1000) % 32_768);
    this.#set(at.moving, this.#moving ? 1 : 0);
    this.#set(at.movingStatus, (arrived ? 1 : 0) | (motor.demand.atRest ? 0 : 2));
    this.#set(
      at.presentLoad,
      Math.round(Math.max(-1000, Math.min(1000, (motor.torque / motor.plant.torqueMax) * 1000))),
    );
    this.#set(at.presentVelocity, Math.round(motor.velocity / COUNTS_PER_S));
    this.#set(at.presentPosition, position);
    this.#set(at.velocityTrajectory, Math.round(motor.demand.velocity / COUNTS_PER_S));
    this.#set(at.positionTrajectory, Math.round(motor.demand.position));
  }

  #get(address: number): number {
    const size = ITEMS.find((item) => item.address === address)?.size ?? 1;
    return size === 1 ? (this.table[address] ?? 0) : this.table.readIntLE(address, size);
  }

  #set(address: number, value: number): void {
    const size = ITEMS.find((item) => item.address === address)?.size ?? 1;
    this.table.writeUIntLE(value >= 0 ? value : value + 2 ** (8 * size), address, size);
  }
}

const valueAt = (data: Buffer, offset: number, size: 1 | 2 | 4): number =>
  size === 1 ? (data[offset] ?? 0) : data.readIntLE(offset, size);

/** Whether the items cover the written range without a gap, a half item, or a byte that is none. */
function wholeItems(items: readonly TableItem[], address: number, count: number): boolean {
  const end = items.reduce((next, item) => (item.address === next ? next + item.size : next), address);
  return items.length > 0 && end === address + count;
}
