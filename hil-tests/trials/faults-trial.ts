import type { Clock, Random } from "@servofleet/runtime/clock";
import { seededRandom } from "@servofleet/runtime/fake-clock";
import { createLink } from "../../firmware-bridge/link/create-link.ts";
import { type Link, LinkError, type ModbusRequest, type TransactionDone } from "../../firmware-bridge/link/link.ts";
import { BAD_LINE } from "../../firmware-bridge/link/testing/line-trial.ts";
import { until } from "../../firmware-bridge/link/testing/link-bench.ts";
import { LAST_ADDRESS, TelltaleDrives, telltale } from "../../firmware-bridge/link/testing/telltale-drives.ts";
import type { LineFaults } from "../../firmware-bridge/link/testing/virtual-line.ts";
import { type FaultyServer, type FaultyServerParts, faultyPty, faultyTcp } from "./faulty-server.ts";

/** What carries the frames. */
export const TRIAL_WIRES = ["pty", "tcp"] as const;
export type TrialWire = (typeof TRIAL_WIRES)[number];

export interface FaultsTrialResult {
  readonly wire: TrialWire;
  readonly seed: number;
  /** Ended transactions whose bytes may have reached the drive. */
  readonly transactions: number;
  readonly answered: number;
  /** Ended without an answer: a write among them is told as unknown. */
  readonly unanswered: number;
  readonly refusedUnsent: number;
  /** Values that were not read by this very request. */
  readonly wrongValues: number;
  /** Writes that a drive saw more than once, whatever was told of them. */
  readonly appliedTwice: number;
  /** Writes told as done that no drive has seen, or as unsent that one has. */
  readonly toldWrong: number;
  /** Writes of unknown outcome, and how many of them the drive had taken: why nobody may send them again. */
  readonly unknownWrites: number;
  readonly unknownApplied: number;
  readonly errors: Readonly<Record<string, number>>;
  readonly seconds: number;
}

export interface FaultsTrialOptions {
  readonly clock: Clock;
  readonly seed: number;
  readonly transactions: number;
  readonly faults?: LineFaults;
  /** Another engine than the bridge's: what the trial must be able to tell from it. */
  readonly makeLink?: typeof createLink;
}

const UNITS = [1, 2, 3, 4, 5, 6];
const READS = [
  { fn: "read", address: 100, quantity: 10 },
  { fn: "read", address: 200, quantity: 10 },
  { fn: "read", address: 300, quantity: 2 },
  { fn: "read", address: LAST_ADDRESS - 1, quantity: 2 },
] as const;
/** Share of commands among the requests. */
const WRITE_SHARE = 0.2;
/** Pause after a request that could not be sent: the line is down or the unit is not asked for now. */
const REFUSED_PAUSE_MS = 20;
const WRITES_FROM = 500;
const QUIET = { info: () => undefined, warn: () => undefined };

/** The engine as the bridge makes it, on a real pty or socket, against a server that does everything wrong but lie. */
export async function runFaultsTrial(wire: TrialWire, options: FaultsTrialOptions): Promise<FaultsTrialResult> {
  const { clock, seed, faults = BAD_LINE, makeLink = createLink } = options;
  const random = seededRandom(seed);
  const parts: FaultyServerParts = { clock, random, faults, drives: new TelltaleDrives(() => 0) };
  const server: FaultyServer = wire === "pty" ? faultyPty(parts) : await faultyTcp(parts);
  const units = UNITS.map((unit) => ({ unit, axis: null }));
  const link = makeLink(server.config, { clock, random, units, log: QUIET });
  try {
    link.open();
    await until(() => link.up, "the link is up");
    return await new Trial(wire, link, parts, options).run();
  } finally {
    await link.close();
    await server.close();
  }
}

class Trial {
  readonly #wire: TrialWire;
  readonly #link: Link;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #drives: TelltaleDrives;
  readonly #options: FaultsTrialOptions;
  readonly #count = { answered: 0, unanswered: 0, refusedUnsent: 0, wrongValues: 0, toldWrong: 0 };
  readonly #unknown: string[] = [];
  #ended = 0;
  #writes = 0;

  constructor(wire: TrialWire, link: Link, { clock, random, drives }: FaultyServerParts, options: FaultsTrialOptions) {
    this.#wire = wire;
    this.#link = link;
    this.#clock = clock;
    this.#random = random;
    this.#drives = drives;
    this.#options = options;
  }

  async run(): Promise<FaultsTrialResult> {
    const startMs = this.#clock.monotonicMs();
    await Promise.all(UNITS.map((unit) => this.#ask(unit)));
    const { writes } = this.#drives;
    return {
      wire: this.#wire,
      seed: this.#options.seed,
      transactions: this.#ended,
      ...this.#count,
      appliedTwice: [...writes.values()].filter((times) => times > 1).length,
      unknownWrites: this.#unknown.length,
      unknownApplied: this.#unknown.filter((key) => writes.has(key)).length,
      errors: this.#link.stats().errors,
      seconds: Math.round(this.#clock.monotonicMs() - startMs) / 1000,
    };
  }

  async #ask(unit: number): Promise<void> {
    while (this.#ended < this.#options.transactions) {
      const done = this.#random.next() < WRITE_SHARE ? await this.#write(unit) : await this.#read(unit);
      if (done instanceof LinkError && !done.sent) {
        this.#count.refusedUnsent++;
        await new Promise<void>((resolve) => this.#clock.after(REFUSED_PAUSE_MS, resolve));
      } else {
        this.#ended++;
        if (done instanceof LinkError) this.#count.unanswered++;
        else this.#count.answered++;
      }
    }
  }

  async #read(unit: number): Promise<TransactionDone | LinkError> {
    const request = READS[Math.floor(this.#random.next() * READS.length)] ?? READS[0];
    let takenBefore = 0;
    const done = await this.#transact(unit, request, "poll", () => {
      takenBefore = this.#drives.sequence(unit);
    });
    if (done instanceof LinkError) return done;
    // Of the drive's last answer, and of one that it made after this request began: nothing else was asked of it since.
    const sequence = this.#drives.sequence(unit);
    const right = done.registers.every((value, n) => value === telltale(unit, request.address + n, sequence));
    if (!right || sequence <= takenBefore || done.registers.length !== request.quantity) this.#count.wrongValues++;
    return done;
  }

  /** Each write has a value of its own, so a drive that took one twice shows it. */
  async #write(unit: number): Promise<TransactionDone | LinkError> {
    const number = this.#writes++;
    const address = WRITES_FROM + 2 * Math.floor(number / 0x10000);
    const value = number & 0xffff;
    const isOne = this.#random.next() < 0.5;
    const one: ModbusRequest = { fn: "write", address, value };
    const two: ModbusRequest = { fn: "write-many", address, values: [value, unit] };
    const done = await this.#transact(unit, isOne ? one : two, "command");
    const key = `${unit}:${address}:${isOne ? value : value * 0x10000 + unit}`;
    const isTaken = this.#drives.writes.has(key);
    if (!(done instanceof LinkError)) this.#count.toldWrong += isTaken ? 0 : 1;
    else if (!done.sent) this.#count.toldWrong += isTaken ? 1 : 0;
    else this.#unknown.push(key);
    return done;
  }

  #transact(unit: number, request: ModbusRequest, name: "poll" | "command", onSent: () => void = () => undefined) {
    return this.#link.transact(unit, request, { class: name, onSent }).catch((error: unknown) => {
      if (error instanceof LinkError) return error;
      throw error;
    });
  }
}
