/** One CiA 402 or maker object of the MR-JE-C. 4-byte objects take two registers, arrays a count register before. */
interface ObjectRule {
  words: 1 | 2;
  access: "rw" | "ro";
  /** One value, or one per array entry. */
  presets: readonly number[];
  array: boolean;
}

const rw1 = (preset = 0): ObjectRule => ({ words: 1, access: "rw", presets: [preset], array: false });
const rw2 = (preset = 0): ObjectRule => ({ words: 2, access: "rw", presets: [preset], array: false });
const ro1 = (preset = 0): ObjectRule => ({ words: 1, access: "ro", presets: [preset], array: false });
const ro2 = (preset = 0): ObjectRule => ({ words: 2, access: "ro", presets: [preset], array: false });
const array2 = (...presets: number[]): ObjectRule => ({ words: 2, access: "rw", presets, array: true });

const COUNTS_PER_REVOLUTION = 131_072;
const POINT_TABLES = 31;

/** Names of the objects that the drive's own code touches. */
export const object = {
  errorRegister: 0x1001,
  save: 0x1010,
  load: 0x1011,
  effectiveLoad: 0x2b09,
  peakLoad: 0x2b0a,
  torquePercent: 0x2b0b,
  pointTable0: 0x2800,
  pointTableTarget: 0x2d60,
  pointTableDemanded: 0x2d68,
  pointTableActual: 0x2d69,
  errorCode: 0x603f,
  controlword: 0x6040,
  statusword: 0x6041,
  quickStopOption: 0x605a,
  haltOption: 0x605d,
  faultReactionOption: 0x605e,
  mode: 0x6060,
  modeDisplay: 0x6061,
  positionDemand: 0x6062,
  positionActual: 0x6064,
  followingErrorWindow: 0x6065,
  followingErrorTimeout: 0x6066,
  positionWindow: 0x6067,
  positionWindowTime: 0x6068,
  velocityDemand: 0x606b,
  velocityActual: 0x606c,
  torqueActual: 0x6077,
  targetPosition: 0x607a,
  homeOffset: 0x607c,
  softLimits: 0x607d,
  profileVelocity: 0x6081,
  profileAcceleration: 0x6083,
  profileDeceleration: 0x6084,
  quickStopDeceleration: 0x6085,
  homingMethod: 0x6098,
  homingSpeeds: 0x6099,
  homingAcceleration: 0x609a,
  followingErrorActual: 0x60f4,
  digitalInputs: 0x60fd,
  targetVelocity: 0x60ff,
} as const;

// MR-JE-C Modbus/TCP manual, object dictionary; the sizes of 2Bxx and the array form are inferred from its rules.
const dictionary = new Map<number, ObjectRule>([
  [0x1000, ro2(0x0002_0192)],
  [0x1001, ro1()],
  [0x1010, array2(0)],
  [0x1011, array2(0)],
  [0x2a43, ro1()],
  [0x2b08, ro1()],
  [0x2b09, ro1()],
  [0x2b0a, ro1()],
  [0x2b0b, ro1()],
  [0x2b0f, ro1(311)],
  [0x2d60, rw1()],
  [0x2d68, ro1()],
  [0x2d69, ro1()],
  [0x2d6a, ro1()],
  [0x603f, ro1()],
  [0x6040, rw1()],
  [0x6041, ro1()],
  [0x605a, rw1(2)],
  [0x605b, rw1(0)],
  [0x605c, rw1(1)],
  [0x605d, rw1(1)],
  [0x605e, rw1(2)],
  [0x6060, rw1(1)],
  [0x6061, ro1(1)],
  [0x6062, ro2()],
  [0x6064, ro2()],
  [0x6065, rw2(COUNTS_PER_REVOLUTION)],
  [0x6066, rw1(10)],
  [0x6067, rw2(100)],
  [0x6068, rw1(10)],
  [0x606b, ro2()],
  [0x606c, ro2()],
  [0x6071, rw1()],
  [0x6077, ro1()],
  [0x607a, rw2()],
  [0x607c, rw2()],
  [0x607d, array2(0, 0)],
  [0x607f, rw2(100 * COUNTS_PER_REVOLUTION)],
  [0x6081, rw2(5 * COUNTS_PER_REVOLUTION)],
  [0x6083, rw2(50 * COUNTS_PER_REVOLUTION)],
  [0x6084, rw2(50 * COUNTS_PER_REVOLUTION)],
  [0x6085, rw2(200 * COUNTS_PER_REVOLUTION)],
  [0x6091, array2(1, 1)],
  [0x6098, rw1(37)],
  [0x6099, array2(2 * COUNTS_PER_REVOLUTION, COUNTS_PER_REVOLUTION / 4)],
  [0x609a, rw2(20 * COUNTS_PER_REVOLUTION)],
  [0x60f4, ro2()],
  [0x60fd, ro2()],
  [0x60ff, rw2()],
  [0x6502, ro2(0x25)],
]);
// Position, speed, acceleration, deceleration, dwell, auxiliary function, M code.
for (let n = 1; n <= POINT_TABLES; n++) dictionary.set(object.pointTable0 + n, array2(0, 0, 0, 0, 0, 0, 0));

/** A stretch of a run that is one object, or a register that is none. */
export interface RunPart {
  address: number;
  rule: ObjectRule | undefined;
  /** Registers of the run that fall on it; fewer than the object has at the end of a short run. */
  words: number;
}

/** Registers that the object occupies in a run. */
export function wordsOf(rule: ObjectRule): number {
  return rule.array ? 1 + rule.words * rule.presets.length : rule.words;
}

/** Walks a run: each object swallows its registers, also where the next object's index would lie. */
export function partsOfRun(address: number, count: number): RunPart[] {
  const parts: RunPart[] = [];
  for (let at = address; at < address + count; ) {
    const rule = dictionary.get(at);
    const words = Math.min(rule ? wordsOf(rule) : 1, address + count - at);
    parts.push({ address: at, rule, words });
    at += words;
  }
  return parts;
}

/** The MR-JE-C's parameter memory, by object and array entry (0 for plain objects). */
export class MrJeCObjects {
  #live = new Map<number, number[]>();
  #saved = new Map<number, number[]>();

  get(index: number, entry = 0): number {
    return this.all(index)[entry] ?? 0;
  }

  all(index: number): readonly number[] {
    return this.#live.get(index) ?? dictionary.get(index)?.presets ?? [];
  }

  set(index: number, values: readonly number[]): void {
    this.#live.set(index, [...values]);
  }

  save(): void {
    this.#saved = new Map(this.#live);
  }

  /** RAM after mains off and on. */
  reload(): void {
    this.#live = new Map(this.#saved);
  }
}
