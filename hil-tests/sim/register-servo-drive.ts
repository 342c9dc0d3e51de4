import { DriveRecord } from "./drive-record.ts";
import { Motor, type PlantConfig } from "./motor.ts";
import { type Exception, exceptionCode, i32, words } from "./register-bank.ts";
import { servoPlant } from "./servo-drive.ts";
import { type DriveState, type SimulatedDrive, StepTime } from "./simulated-drive.ts";

/** The map of docs/register-servo.md. */
const at = {
  identity: 0x0000,
  torqueEnable: 0x0010,
  watchdog: 0x0011,
  goalRamp: 0x0012,
  goalVelocity: 0x0014,
  goalPosition: 0x0016,
  status: 0x0020,
  fault: 0x0021,
  position: 0x0022,
  velocity: 0x0024,
  load: 0x0026,
  temperature: 0x0027,
} as const;
const IDENTITY = 0x5345;
const TRIPPED = 0xffff;
const OVERLOAD = 1 << 5;
const BOOT_S = 0.3;
/** Counts per second below which the servo calls itself at rest. */
const STILL = 20;
const WINDOW = 10;
const NO_RAMP = 1e6;
/** Everything in between reads 0 where it has no name: status and torque come in one request. */
const READABLE = [at.torqueEnable, at.temperature + 1] as const;
const WRITABLE = [at.torqueEnable, at.goalPosition + 2] as const;

/**
 * A servo that somebody built to docs/register-servo.md: goal registers that start a move when the position is written,
 * and a watchdog in ms that stops it, latches, and is cleared by writing 0.
 */
export class RegisterServoDrive implements SimulatedDrive {
  readonly id: string;
  readonly unit: number;
  readonly model = "register-servo";
  readonly functions: ReadonlySet<number> = new Set([3, 16]);
  readonly messageBytesMax = 256;
  readonly answersBadCrc = false;
  readonly motor: Motor;
  readonly record = new DriveRecord();
  readonly #time = new StepTime();
  readonly #registers = new Map<number, number>();
  #nowNs = 0n;
  #heardNs = 0n;
  #bootUntilS = 0;
  #strainedSinceS: number | undefined;

  constructor(id: string, unit: number, plant: Partial<PlantConfig> = {}) {
    this.id = id;
    this.unit = unit;
    this.motor = new Motor({ ...servoPlant, ...plant });
  }

  get answering(): boolean {
    return this.#time.nowS >= this.#bootUntilS;
  }

  advance(nowNs: bigint): void {
    this.#nowNs = nowNs;
    const isIdle = () => this.motor.idle && !this.motor.blocked;
    this.#time.advance(nowNs, isIdle, () => {
      this.motor.step();
      this.#watchStrain();
    });
    const ms = this.#get(at.watchdog);
    if (ms === 0 || ms === TRIPPED || !this.motor.powered || nowNs - this.#heardNs <= BigInt(ms) * 1_000_000n) return;
    this.#registers.set(at.watchdog, TRIPPED);
    this.motor.go({ kind: "stop", deceleration: NO_RAMP });
  }

  readRun(address: number, count: number): readonly number[] | Exception {
    this.#heardNs = this.#nowNs;
    const isIdentity = address === at.identity && count === 1;
    if (!isIdentity && !isInside(READABLE, address, count)) return { exception: exceptionCode.wrongAddress };
    const now = this.#measured();
    return Array.from({ length: count }, (_, n) => now.get(address + n) ?? this.#get(address + n));
  }

  writeRun(address: number, values: readonly number[]): Exception | undefined {
    this.#heardNs = this.#nowNs;
    if (!isInside(WRITABLE, address, values.length)) return { exception: exceptionCode.wrongAddress };
    const covers = (register: number) => address <= register && register < address + values.length;
    if (covers(at.goalPosition) !== covers(at.goalPosition + 1)) return { exception: exceptionCode.wrongAddress };
    if (covers(at.goalPosition) && this.#get(at.watchdog) === TRIPPED)
      return { exception: exceptionCode.deviceFailure };
    for (const [n, value] of values.entries()) this.#registers.set(address + n, value);
    if (covers(at.torqueEnable)) this.#torque(this.#get(at.torqueEnable) !== 0);
    if (covers(at.goalPosition)) this.#go();
    return undefined;
  }

  state(): DriveState {
    const alarm = this.#get(at.fault);
    const isTripped = this.#get(at.watchdog) === TRIPPED;
    const enabled = this.motor.powered;
    const state = alarm !== 0 ? "fault" : isTripped ? "watchdog tripped" : enabled ? "torque on" : "torque off";
    return { state, enabled, homed: true, moving: this.#moving, alarm, position: Math.round(this.motor.position) };
  }

  powerCycle(): void {
    this.motor.power(false);
    this.#registers.clear();
    this.#strainedSinceS = undefined;
    this.#bootUntilS = this.#time.nowS + BOOT_S;
  }

  #torque(on: boolean): void {
    if (!on) this.#registers.set(at.fault, 0);
    const obeyed = !on || this.#get(at.fault) === 0;
    if (obeyed) this.motor.power(on);
    this.#note(on ? "enable" : "disable", obeyed, null, `0x0010=${on ? 1 : 0}`);
  }

  #go(): void {
    const target = this.#long(at.goalPosition);
    const ramp = this.#long(at.goalRamp) || NO_RAMP;
    const obeyed = this.motor.powered;
    const speed = this.#long(at.goalVelocity);
    if (obeyed) this.motor.go({ kind: "position", target, speed, acceleration: ramp, deceleration: ramp });
    this.#note("start-absolute", obeyed, target, `0x0016=${target}`);
  }

  #note(kind: "enable" | "disable" | "start-absolute", obeyed: boolean, target: number | null, cause: string): void {
    this.record.add({ atNs: this.#nowNs.toString(), kind, obeyed, target, cause });
  }

  /** Half a second of all it has is too much for it. */
  #watchStrain(): void {
    const isStrained = this.motor.powered && Math.abs(this.motor.torque) >= 0.95 * this.motor.plant.torqueMax;
    this.#strainedSinceS = isStrained ? (this.#strainedSinceS ?? this.#time.nowS) : undefined;
    if (this.#strainedSinceS === undefined || this.#time.nowS - this.#strainedSinceS <= 0.5) return;
    this.#registers.set(at.fault, OVERLOAD);
    this.#registers.set(at.torqueEnable, 0);
    this.motor.power(false);
  }

  get #moving(): boolean {
    return !this.motor.demand.atRest || Math.abs(this.motor.velocity) > STILL;
  }

  #measured(): ReadonlyMap<number, number> {
    const { motor } = this;
    const arrived = motor.demand.atRest && Math.abs(this.#long(at.goalPosition) - motor.position) <= WINDOW;
    const load = Math.max(-1000, Math.min(1000, Math.round((motor.torque / motor.plant.torqueMax) * 1000)));
    const [positionHigh, positionLow] = words(Math.round(motor.position));
    const [velocityHigh, velocityLow] = words(Math.round(motor.velocity));
    return new Map([
      [at.identity, IDENTITY],
      [at.status, (this.#moving ? 1 : 0) | (arrived ? 2 : 0)],
      [at.position, positionHigh],
      [at.position + 1, positionLow],
      [at.velocity, velocityHigh],
      [at.velocity + 1, velocityLow],
      [at.load, load & 0xffff],
      [at.temperature, 30],
    ]);
  }

  #get(register: number): number {
    return this.#registers.get(register) ?? 0;
  }

  #long = (register: number): number => i32(this.#get(register), this.#get(register + 1));
}

const isInside = ([from, end]: readonly [number, number], address: number, count: number): boolean =>
  address >= from && address + count <= end;
