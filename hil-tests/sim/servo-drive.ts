import { DriveRecord, type MotionWriteKind } from "./drive-record.ts";
import { Motor, type PlantConfig } from "./motor.ts";
import { exceptionCode } from "./register-bank.ts";
import { type DriveState, type PacketBank, type SimulatedDrive, StepTime } from "./simulated-drive.ts";

const PING = 0x01;
const READ = 0x02;
const WRITE = 0x03;
const REG_WRITE = 0x04;
const ACTION = 0x05;
const REBOOT = 0x08;

/** A servo's gear end: one turn of 4096 counts, standing in its middle. */
export const servoPlant: PlantConfig = {
  startAt: 2048,
  homeSwitch: null,
  limitSwitches: null,
  hardStops: { negative: -100, positive: 4200 },
  countsPerRevolution: 4096,
  stiffness: 125,
  feedForward: 0.9,
  ratedAcceleration: 200_000,
  torqueMax: 300,
  load: 0,
  friction: 1e-4,
};

/** What a servo of either make shares: a table of bytes, a motor behind it, a boot after mains off and on. */
export abstract class ServoDrive implements SimulatedDrive {
  abstract readonly model: string;
  readonly id: string;
  readonly unit: number;
  readonly functions: ReadonlySet<number> = new Set();
  readonly messageBytesMax = 0;
  readonly answersBadCrc = false;
  readonly motor: Motor;
  readonly record = new DriveRecord();
  readonly table: Buffer;
  protected readonly time = new StepTime();
  protected nowNs = 0n;
  #bootUntilS = 0;
  /** Since when the motor has pushed with all it has, s. */
  #strainedSinceS: number | undefined;
  readonly #width: 1 | 2;
  #waiting: { address: number; data: Buffer } | undefined;

  constructor(id: string, unit: number, tableBytes: number, addressBytes: 1 | 2, plant: Partial<PlantConfig>) {
    this.#width = addressBytes;
    this.id = id;
    this.unit = unit;
    this.table = Buffer.alloc(tableBytes);
    this.motor = new Motor({ ...servoPlant, ...plant });
  }

  get answering(): boolean {
    return this.time.nowS >= this.#bootUntilS;
  }

  advance(nowNs: bigint): void {
    this.nowNs = nowNs;
    this.time.advance(
      nowNs,
      () => this.motor.idle && !this.motor.blocked,
      () => {
        this.motor.step();
        this.#watchStrain();
      },
    );
    this.watch();
  }

  // A servo speaks no Modbus; its line never asks this way.
  readRun = () => ({ exception: exceptionCode.wrongAddress });
  writeRun = () => ({ exception: exceptionCode.wrongAddress });

  readonly packets: PacketBank = {
    answer: (body) => this.#answer(body),
    isRead: (body) => body[0] === PING || body[0] === READ,
  };

  /** A whole packet went over the bus. */
  heard(): void {
    // Only a servo with a watchdog listens to what is not for it.
  }

  abstract state(): DriveState;
  abstract powerCycle(): void;
  /** The bytes as they are read now, or the error byte of a refusal. */
  protected abstract read(address: number, count: number): Buffer | number;
  /** Carries the write out; the error byte, 0 when all is well. */
  protected abstract write(address: number, data: Buffer): number;
  /** Bits that go with every answer. */
  protected abstract statusBits(): number;
  /** Whether a request of this kind is answered at all (status return level, response level). */
  protected abstract answers(kind: "ping" | "read" | "other"): boolean;
  protected abstract pingData(): Buffer;
  /** Looks after what happens by itself. */
  protected abstract watch(): void;
  /** The motor has pushed with all it has for half a second. */
  protected abstract overload(): void;
  /** Error byte of an instruction the servo does not know. */
  protected abstract readonly unknownInstruction: number;

  #answer(body: Buffer): Buffer | undefined {
    const instruction = body[0] ?? 0;
    if (instruction === PING) return this.answers("ping") ? this.#status(0, this.pingData()) : undefined;
    const address = body.length > this.#width ? body.readUIntLE(1, this.#width) : 0;
    const rest = body.subarray(1 + this.#width);
    if (instruction === READ) {
      const count = rest.length >= this.#width ? rest.readUIntLE(0, this.#width) : 0;
      const read = this.read(address, count);
      if (!this.answers("read")) return undefined;
      return typeof read === "number" ? this.#status(read) : this.#status(0, read);
    }
    const error = this.#execute(instruction, address, rest);
    return this.answers("other") ? this.#status(error) : undefined;
  }

  #execute(instruction: number, address: number, data: Buffer): number {
    switch (instruction) {
      case WRITE:
        return this.write(address, Buffer.from(data));
      case REG_WRITE:
        this.#waiting = { address, data: Buffer.from(data) };
        return 0;
      case ACTION: {
        const waiting = this.#waiting;
        this.#waiting = undefined;
        return waiting ? this.write(waiting.address, waiting.data) : 0;
      }
      case REBOOT:
        this.powerCycle();
        return 0;
      default:
        return this.unknownInstruction;
    }
  }

  #status(error: number, data: Buffer = Buffer.alloc(0)): Buffer {
    return Buffer.concat([Buffer.of(error | this.statusBits()), data]);
  }

  protected boot(seconds: number): void {
    this.#waiting = undefined;
    this.#strainedSinceS = undefined;
    this.#bootUntilS = this.time.nowS + seconds;
  }

  protected note(kind: MotionWriteKind, obeyed: boolean, target: number | null, cause: string): void {
    this.record.add({ atNs: this.nowNs.toString(), kind, obeyed, target, cause });
  }

  #watchStrain(): void {
    const strained = this.motor.powered && Math.abs(this.motor.torque) >= 0.95 * this.motor.plant.torqueMax;
    if (!strained) this.#strainedSinceS = undefined;
    else this.#strainedSinceS ??= this.time.nowS;
    if (this.#strainedSinceS !== undefined && this.time.nowS - this.#strainedSinceS > 0.5) this.overload();
  }
}
