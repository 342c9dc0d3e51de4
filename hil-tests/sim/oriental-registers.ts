import { i32, words } from "./register-bank.ts";

/** Addresses of the upper registers of the AZ's 32-bit pairs (public maps of the AZ, direct data operation and monitors). */
export const azReg = {
  dataNumber: 0x0058,
  type: 0x005a,
  position: 0x005c,
  speed: 0x005e,
  startRate: 0x0060,
  stopRate: 0x0062,
  current: 0x0064,
  trigger: 0x0066,
  destination: 0x0068,
  input: 0x007c,
  output: 0x007e,
  alarm: 0x0080,
  warning: 0x0096,
  communicationError: 0x00ac,
  commandPosition: 0x00c6,
  actualPosition: 0x00cc,
  actualRpm: 0x00ce,
  actualHz: 0x00d0,
  directIo: 0x00d4,
  torque: 0x00d6,
  alarmReset: 0x0180,
  clearAlarmHistory: 0x0184,
  clearWarningHistory: 0x0188,
} as const;

/** Operation data in the drive's memory: eight are kept here, as many as the M0 to M2 inputs can name. */
export const azStored = { position: 0x0400, speed: 0x0480, type: 0x0500, startRate: 0x0600, stopRate: 0x0680 } as const;
const CURRENT_STORED = 0x0700;
const STORED_COUNT = 8;

interface Rule {
  readonly access: "rw" | "ro";
  readonly preset: number;
  readonly min: number;
  readonly max: number;
}

const I32_MAX = 0x7fff_ffff;
const rw = (preset: number, min: number, max: number): Rule => ({ access: "rw", preset, min, max });
const ro: Rule = { access: "ro", preset: 0, min: 0, max: 0 };
const speedRule = rw(1000, -4_000_000, 4_000_000);
const rateRule = rw(1_000_000, 1, 1_000_000_000);
const positionRule = rw(0, -I32_MAX - 1, I32_MAX);
const typeRule = rw(2, 0, 22);
const currentRule = rw(1000, 0, 1000);
const flag = rw(0, 0, 1);

function buildRules(): ReadonlyMap<number, Rule> {
  const rules = new Map<number, Rule>([
    [azReg.dataNumber, rw(0, 0, 255)],
    [azReg.type, typeRule],
    [azReg.position, positionRule],
    [azReg.speed, speedRule],
    [azReg.startRate, rateRule],
    [azReg.stopRate, rateRule],
    [azReg.current, currentRule],
    [azReg.trigger, rw(0, -7, 1)],
    [azReg.destination, flag],
    [azReg.input, rw(0, -I32_MAX - 1, I32_MAX)],
    [azReg.alarmReset, flag],
    [azReg.clearAlarmHistory, flag],
    [azReg.clearWarningHistory, flag],
  ]);
  const monitors = [azReg.output, azReg.alarm, azReg.warning, azReg.communicationError, azReg.commandPosition];
  const measured = [azReg.actualPosition, azReg.actualRpm, azReg.actualHz, azReg.directIo, azReg.torque];
  for (const address of [...monitors, ...measured]) rules.set(address, ro);
  // The monitors lie in one block whose other registers read as 0.
  for (let address = azReg.commandPosition; address <= azReg.torque; address += 2)
    if (!rules.has(address)) rules.set(address, ro);
  const stored: readonly (readonly [number, Rule])[] = [
    [azStored.position, positionRule],
    [azStored.speed, speedRule],
    [azStored.type, typeRule],
    [azStored.startRate, rateRule],
    [azStored.stopRate, rateRule],
    [CURRENT_STORED, currentRule],
  ];
  for (const [base, rule] of stored) for (let n = 0; n < STORED_COUNT; n++) rules.set(base + 2 * n, rule);
  return rules;
}

const rules = buildRules();
const upperOf = (address: number): number => address & ~1;

/** The AZ's memory: 32-bit values at even addresses, high word first; any of the two words can be read or written alone. */
export class OrientalRegisters {
  readonly #values = new Map<number, number>();

  get(upper: number): number {
    return this.#values.get(upper) ?? rules.get(upper)?.preset ?? 0;
  }

  set(upper: number, value: number): void {
    this.#values.set(upper, value);
  }

  /** RAM after mains off and on: the operation data are stored, commands are not. */
  reload(): void {
    for (const upper of [...this.#values.keys()]) if (!isStored(upper)) this.#values.delete(upper);
  }

  has(address: number): boolean {
    return rules.has(upperOf(address));
  }

  writable(address: number): boolean {
    return rules.get(upperOf(address))?.access === "rw";
  }

  /** The 32-bit values that a run of words leads to, by upper address, without storing them. */
  merged(address: number, run: readonly number[]): ReadonlyMap<number, number> {
    const result = new Map<number, number>();
    for (const [n, word] of run.entries()) {
      const upper = upperOf(address + n);
      const [high, low] = words(result.get(upper) ?? this.get(upper));
      result.set(upper, (address + n) % 2 === 0 ? i32(word, low) : i32(high, word));
    }
    return result;
  }

  inRange(upper: number, value: number): boolean {
    const rule = rules.get(upper);
    return rule !== undefined && value >= rule.min && value <= rule.max;
  }
}

/** Kept in the drive's memory, which is busy for a while after a write. */
export const isStored = (upper: number): boolean => upper >= azStored.position;
