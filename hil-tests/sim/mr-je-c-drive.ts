import { Cia402Device, type WatchdogQuirks } from "./cia402-device.ts";
import { benchPlant, Motor, type PlantConfig } from "./motor.ts";
import { type MrJeCQuirks, mrJeCDefaults } from "./mr-je-c-cycle.ts";
import { partsOfRun, type RunPart, wordsOf } from "./mr-je-c-objects.ts";
import { type Exception, exceptionCode, i16, i32, words } from "./register-bank.ts";
import type { DriveState, SimulatedDrive } from "./simulated-drive.ts";

/** A 17-bit servo of +-60 revolutions with all switches; overridden per drive in LINKS.yaml. */
export const servoPlant: PlantConfig = {
  ...benchPlant,
  homeSwitch: { at: -500_000, width: 50_000 },
  limitSwitches: { negative: -7_900_000, positive: 7_900_000 },
  hardStops: { negative: -8_300_000, positive: 8_300_000 },
  countsPerRevolution: 131_072,
  ratedAcceleration: 40_000_000,
  friction: 1e-6,
};

/**
 * A Mitsubishi MR-JE-C: CiA 402 objects as Modbus registers, address = object index, low word first, functions 03, 08
 * and 10h only, and its rule for runs: no exception as long as one register of the run can be accessed.
 */
export class MrJeCDrive implements SimulatedDrive {
  readonly model = "mitsubishi-mr-je-c";
  readonly id: string;
  readonly unit: number;
  readonly functions: ReadonlySet<number> = new Set([0x03, 0x08, 0x10]);
  readonly messageBytesMax = 256;
  readonly answersBadCrc = false;
  readonly #device: Cia402Device;

  constructor(
    id: string,
    unit: number,
    plant: Partial<PlantConfig> = {},
    quirks: Partial<MrJeCQuirks & WatchdogQuirks> = {},
  ) {
    this.id = id;
    this.unit = unit;
    this.#device = new Cia402Device(new Motor({ ...servoPlant, ...plant }), { ...mrJeCDefaults, ...quirks });
  }

  get motor(): Motor {
    return this.#device.motor;
  }

  get record() {
    return this.#device.record;
  }

  get answering(): boolean {
    return this.#device.answering;
  }

  advance(nowNs: bigint): void {
    this.#device.advance(nowNs);
  }

  state(): DriveState {
    return this.#device.state();
  }

  powerCycle(): void {
    this.#device.powerCycle();
  }

  readRun(address: number, count: number): readonly number[] | Exception {
    this.#device.heard("read");
    const parts = partsOfRun(address, count);
    if (!parts.some((part) => part.rule)) return { exception: exceptionCode.wrongAddress };
    return parts.flatMap((part) => this.#readPart(part));
  }

  writeRun(address: number, values: readonly number[]): Exception | undefined {
    this.#device.heard("write");
    const parts = partsOfRun(address, values.length).filter((part) => part.rule?.access === "rw");
    if (parts.length === 0) return { exception: exceptionCode.wrongAddress };
    const writes = parts.map((part) => ({
      index: part.address,
      values: decode(part, values.slice(part.address - address)),
    }));
    const wrong = writes.some(
      (write) => write.values === undefined || !this.#device.inRange(write.index, write.values),
    );
    if (wrong) return { exception: exceptionCode.wrongValue };
    for (const write of writes) this.#device.write(write.index, write.values ?? []);
    return undefined;
  }

  #readPart(part: RunPart): number[] {
    const { rule } = part;
    if (!rule) return Array.from({ length: part.words }, () => 0);
    const values = rule.array ? this.#device.objects.all(part.address) : [this.#device.live(part.address)];
    const body = values.flatMap((value) => (rule.words === 2 ? words(value).reverse() : [value & 0xffff]));
    return (rule.array ? [values.length, ...body] : body).slice(0, part.words);
  }
}

/** Low word first; undefined when the run cuts the object or names the wrong entry count. */
function decode(part: RunPart, values: readonly number[]): number[] | undefined {
  const { rule } = part;
  if (!rule || part.words < wordsOf(rule)) return undefined;
  if (rule.array && values[0] !== rule.presets.length) return undefined;
  const body = rule.array ? values.slice(1) : values;
  return rule.presets.map((_, n) => {
    if (rule.words === 1) return i16(body[n] ?? 0);
    return i32(body[2 * n + 1] ?? 0, body[2 * n] ?? 0);
  });
}
