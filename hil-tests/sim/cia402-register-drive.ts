import { Cia402Device, type WatchdogQuirks } from "./cia402-device.ts";
import type { DriveRecord } from "./drive-record.ts";
import { Motor, type PlantConfig } from "./motor.ts";
import { type MrJeCQuirks, mrJeCDefaults } from "./mr-je-c-cycle.ts";
import { object } from "./mr-je-c-objects.ts";
import { type Exception, exceptionCode, i16, i32, words } from "./register-bank.ts";
import type { DriveState, SimulatedDrive } from "./simulated-drive.ts";

/** What stands at one register address. */
export interface RegisterPlace {
  index: number;
  entry?: number;
  words: 1 | 2;
  access: "rw" | "ro";
}

/** How a maker shows CiA 402 objects as registers. */
export interface RegisterFace {
  model: string;
  functions: readonly number[];
  lowWordFirst: boolean;
  layout: ReadonlyMap<number, RegisterPlace>;
  /** Function byte of a refused read where it is not 0x83. */
  readErrorFunction?: number;
  /** The statusword as this maker shows it. */
  status(word: number, device: Cia402Device): number;
}

/** A CiA 402 drive whose objects are registers, each reached alone: reads and writes hold one whole object. */
export class Cia402RegisterDrive implements SimulatedDrive {
  readonly id: string;
  readonly unit: number;
  readonly functions: ReadonlySet<number>;
  readonly messageBytesMax = 256;
  readonly answersBadCrc = false;
  readonly device: Cia402Device;
  readonly #face: RegisterFace;

  constructor(
    id: string,
    unit: number,
    face: RegisterFace,
    plant: PlantConfig,
    quirks: Partial<MrJeCQuirks & WatchdogQuirks>,
  ) {
    this.id = id;
    this.unit = unit;
    this.#face = face;
    this.functions = new Set(face.functions);
    this.device = new Cia402Device(new Motor(plant), { ...mrJeCDefaults, ...quirks });
  }

  get model(): string {
    return this.#face.model;
  }

  get readErrorFunction(): number {
    return this.#face.readErrorFunction ?? 0x83;
  }

  get motor(): Motor {
    return this.device.motor;
  }

  get record(): DriveRecord {
    return this.device.record;
  }

  get answering(): boolean {
    return this.device.answering;
  }

  advance(nowNs: bigint): void {
    this.device.advance(nowNs);
  }

  state(): DriveState {
    return this.device.state();
  }

  powerCycle(): void {
    this.device.powerCycle();
  }

  /** One object; registers behind it up to the second are 0, as a reader of two finds them (Kinco FD5P manual, p. 136). */
  readRun(address: number, count: number): readonly number[] | Exception {
    this.device.heard("read");
    const place = this.#face.layout.get(address);
    if (!place) return { exception: exceptionCode.wrongAddress };
    if (count < place.words || count > 2) return { exception: exceptionCode.wrongValue };
    const value = this.device.live(place.index, place.entry);
    const shown = place.index === object.statusword ? this.#face.status(value, this.device) : value;
    if (place.words === 1) return [shown & 0xffff, 0].slice(0, count);
    const [high, low] = words(shown);
    return this.#face.lowWordFirst ? [low, high] : [high, low];
  }

  writeRun(address: number, values: readonly number[]): Exception | undefined {
    this.device.heard("write");
    const place = this.#face.layout.get(address);
    if (place?.access !== "rw") return { exception: exceptionCode.wrongAddress };
    const value = this.#valueOf(place, values);
    if (value === undefined || !this.device.inRange(place.index, [value]))
      return { exception: exceptionCode.wrongValue };
    const entries = [...this.device.objects.all(place.index)];
    entries[place.entry ?? 0] = value;
    this.device.write(place.index, entries, address);
    return undefined;
  }

  #valueOf(place: RegisterPlace, values: readonly number[]): number | undefined {
    const [first = 0, second = 0] = values;
    if (values.length !== place.words) return undefined;
    if (place.words === 1) return i16(first);
    return this.#face.lowWordFirst ? i32(second, first) : i32(first, second);
  }
}

/** An unknown drive that shows its objects under their own index, low word first, functions 03 and 10h. */
export function plainCia402Face(): RegisterFace {
  const rw = (index: number, count: 1 | 2): [number, RegisterPlace] => [index, { index, words: count, access: "rw" }];
  const ro = (index: number, count: 1 | 2): [number, RegisterPlace] => [index, { index, words: count, access: "ro" }];
  return {
    model: "cia402-modbus",
    functions: [0x03, 0x10],
    lowWordFirst: true,
    layout: new Map([
      ro(object.errorCode, 1),
      rw(object.controlword, 1),
      ro(object.statusword, 1),
      rw(object.quickStopOption, 1),
      rw(object.mode, 1),
      ro(object.modeDisplay, 1),
      ro(object.positionActual, 2),
      ro(object.velocityActual, 2),
      rw(object.targetPosition, 2),
      rw(object.profileVelocity, 2),
      rw(object.profileAcceleration, 2),
      rw(object.profileDeceleration, 2),
      rw(object.quickStopDeceleration, 2),
      rw(object.homingMethod, 1),
      rw(object.targetVelocity, 2),
    ]),
    status: (word) => word,
  };
}
