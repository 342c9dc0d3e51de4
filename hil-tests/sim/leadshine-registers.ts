/** How the iCL-RS lets a register be used; `stored` ones survive a power cycle after a save. */
interface Rule {
  access: "rw" | "ro" | "wo";
  preset: number;
  min: number;
  max: number;
}

const rw = (preset: number, min = 0, max = 0xffff): Rule => ({ access: "rw", preset, min, max });
const ro = (preset = 0): Rule => ({ access: "ro", preset, min: 0, max: 0xffff });
const wo: Rule = { access: "wo", preset: 0, min: 0, max: 0xffff };

/** Names for the registers the drive's own code touches (iCL-RS user manual, parameter tables). */
export const reg = {
  pulsesPerRevolution: 0x0001,
  direction: 0x0007,
  followingErrorLimit: 0x000b,
  forcedEnable: 0x000f,
  busVoltage: 0x0177,
  digitalInputs: 0x0179,
  jogRpm: 0x01e1,
  jogRampMs: 0x01e7,
  status: 0x1003,
  followingError: 0x1010,
  profilePosition: 0x1012,
  feedbackPosition: 0x1014,
  profileVelocity: 0x1044,
  feedbackVelocity: 0x1046,
  auxiliary: 0x1801,
  saveStatus: 0x1901,
  alarm: 0x2203,
  control: 0x6000,
  trigger: 0x6002,
  softLimitPositive: 0x6006,
  softLimitNegative: 0x6008,
  homingMode: 0x600a,
  homePosition: 0x600b,
  homeStopPosition: 0x600d,
  homeFastRpm: 0x600f,
  homeSlowRpm: 0x6010,
  homeAccelerationMs: 0x6011,
  homeDecelerationMs: 0x6012,
  homeOverTravel: 0x6015,
  limitStopMs: 0x6016,
  quickStopMs: 0x6017,
  warning: 0x601d,
  commandPosition: 0x602a,
  actualPosition: 0x602c,
  path0: 0x6200,
  path0Special: 0x6207,
} as const;

/** Number of paths (0 to 15), eight registers each. */
export const pathCount = 16;

// Pr0 to Pr7 are 32-bit pairs whose published, odd address is the low word (iCL-RS manual, parameter addressing).
const pairedParameters: Readonly<Record<number, Rule>> = {
  1: rw(10_000, 200, 51_200),
  7: rw(0, 0, 1),
  11: rw(4000),
  15: rw(0, 0, 1),
  161: rw(15, 0, 512),
  325: rw(0x08),
  327: rw(0x27),
  329: rw(0x25),
  331: rw(0x26),
  333: rw(0),
  335: rw(0),
  337: rw(0),
  375: ro(480),
  377: ro(),
  379: ro(),
  401: rw(30, 1, 100),
  445: rw(2, 0, 5),
  447: rw(1, 0, 31),
  449: rw(4, 0, 5),
  481: rw(60, 0, 5000),
  487: rw(100, 1, 10_000),
};

const singleRegisters: Readonly<Record<number, Rule>> = {
  4099: ro(),
  6145: wo,
  6401: ro(0x1111),
  8707: ro(),
  24576: rw(0),
  24578: rw(0),
  24586: rw(4, 0, 7),
  24591: rw(200, 0, 5000),
  24592: rw(50, 0, 5000),
  24593: rw(100, 1, 10_000),
  24594: rw(100, 1, 10_000),
  24595: rw(100),
  24596: rw(100),
  24597: rw(0),
  24598: rw(50, 1, 10_000),
  24599: rw(50, 1, 10_000),
  24602: rw(0, 0, 2),
  24605: ro(),
};

const readOnlyRuns = [0x1010, 0x1012, 0x1014, 0x1044, 0x1046, 0x602a, 0x602c];
const writableRuns = [0x6006, 0x6008, 0x600b, 0x600d];
const pathPresets = [0, 0, 0, 60, 100, 100, 0, 0];

function buildRules(): ReadonlyMap<number, Rule> {
  const rules = new Map<number, Rule>();
  for (const [address, rule] of Object.entries(pairedParameters)) {
    rules.set(Number(address), rule);
    rules.set(Number(address) - 1, { ...rule, preset: 0, min: 0, max: 0 });
  }
  for (const [address, rule] of Object.entries(singleRegisters)) rules.set(Number(address), rule);
  for (const high of readOnlyRuns) rules.set(high, ro()).set(high + 1, ro());
  for (const high of writableRuns) rules.set(high, rw(0)).set(high + 1, rw(0));
  for (let path = 0; path < pathCount; path++) {
    for (const [word, preset] of pathPresets.entries()) rules.set(reg.path0 + 8 * path + word, rw(preset));
  }
  return rules;
}

const rules = buildRules();

/** The iCL-RS parameter memory: what is live, and what a save has made to survive a power cycle. */
export class LeadshineRegisters {
  #live = new Map<number, number>();
  #saved = new Map<number, number>();

  get(address: number): number {
    return this.#live.get(address) ?? rules.get(address)?.preset ?? 0;
  }

  /** A pair, high word first, signed. */
  getI32(high: number): number {
    return (this.get(high) << 16) | this.get(high + 1);
  }

  set(address: number, value: number): void {
    this.#live.set(address, value & 0xffff);
  }

  save(): void {
    this.#saved = new Map(this.#live);
  }

  /** RAM after mains off and on. */
  reload(): void {
    this.#live = new Map(this.#saved);
  }

  /** Factory presets, in RAM only. */
  presets(): void {
    this.#live.clear();
  }

  readable(address: number): boolean {
    const rule = rules.get(address);
    return rule !== undefined && rule.access !== "wo";
  }

  writable(address: number): boolean {
    const rule = rules.get(address);
    return rule !== undefined && rule.access !== "ro";
  }

  /** Writing above or below a parameter's range is answered with exception 03 (iCL-RS manual, communication). */
  inRange(address: number, value: number): boolean {
    const rule = rules.get(address);
    return rule !== undefined && value >= rule.min && value <= rule.max;
  }

  /** A run of several 32-bit parameters must start at the high, even word. */
  startsMidPair(address: number, count: number): boolean {
    return address < 0x0600 && count > 1 && address % 2 === 1;
  }
}
