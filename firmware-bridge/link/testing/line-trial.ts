import type { LinkConfig, LinkId } from "@servofleet/contracts";
import { FakeClock, seededRandom } from "@servofleet/runtime/fake-clock";
import { RtuFramer } from "../../modbus/rtu-framer.ts";
import { lineCost } from "../bus-cost.ts";
import { Line } from "../line.ts";
import { LinkError, type ModbusRequest, type TransactionDone } from "../link.ts";
import { LAST_ADDRESS, TelltaleDrives, telltale } from "./telltale-drives.ts";
import { type LineFaults, VirtualLine } from "./virtual-line.ts";

/** The faults that a line has to bear without one wrong value. */
export const BAD_LINE: LineFaults = { loss: 0.1, flips: 0.05, duplicates: 0.02, late: 0.03 };

export interface TrialResult {
  readonly seed: number;
  readonly transactions: number;
  readonly answered: number;
  readonly unanswered: number;
  readonly refusedUnsent: number;
  /** Register values that were not the ones of this request. */
  readonly wrongValues: number;
  /** Commands that a drive saw more than once. */
  readonly sentTwice: number;
  /** Commands told as done that no drive has seen, or told as unsent that one has. */
  readonly toldWrong: number;
  readonly gapsTooShort: number;
  readonly collisions: number;
  readonly lateAnswers: number;
  readonly virtualSeconds: number;
  /** Answered polls, by unit. */
  readonly polls: readonly number[];
}

const UNITS = [1, 2, 3, 4, 5, 6];
const TURNAROUND_MS = 0.9;
const STOP_WAIT_MS = 20;
const QUIET = { info: () => undefined, warn: () => undefined };
const CONFIG: LinkConfig = {
  id: "trial" as LinkId,
  kind: "modbus-rtu",
  port: "virtual",
  baud: 115_200,
  parity: "none",
  stopBits: 1,
  stopWaitMaxMs: STOP_WAIT_MS,
};
/** Polls, of sizes that get into each other's way, one of them at the end of the map where nothing can be padded. */
const READS: readonly ModbusRequest[] = [
  { fn: "read", address: 100, quantity: 10 },
  { fn: "read", address: 200, quantity: 10 },
  { fn: "read", address: 300, quantity: 2 },
  { fn: "read", address: LAST_ADDRESS - 1, quantity: 2 },
];
/** Mean time between two commands of one unit: polls have the rest of the line. */
const COMMAND_PAUSE_MS = 150;
/** Virtual time of one step of the trial. */
const STEP_MS = 1000;

/** Runs the real engine over a bad line in virtual time until so many transactions have ended. Repeatable by its seed. */
export async function runLineTrial(seed: number, transactions: number, guarded = true): Promise<TrialResult> {
  return new Trial(seed, guarded).run(transactions);
}

class Trial {
  readonly #seed: number;
  readonly #clock = new FakeClock();
  readonly #random;
  readonly #drives = new TelltaleDrives(() => TURNAROUND_MS);
  readonly #wire: VirtualLine;
  readonly #line: Line;
  readonly #count = { ended: 0, answered: 0, unanswered: 0, refusedUnsent: 0, wrongValues: 0, toldWrong: 0 };
  readonly #polls = UNITS.map(() => 0);
  #commands = 0;
  #over = false;

  /** `guarded: false` takes the engine's ghost guard away: what the trial must be able to notice. */
  constructor(seed: number, guarded: boolean) {
    this.#seed = seed;
    this.#random = seededRandom(seed);
    const cost = lineCost(CONFIG);
    const common = { clock: this.#clock, random: this.#random };
    this.#wire = new VirtualLine({
      ...common,
      characterMs: cost.characterUs / 1000,
      silenceMs: cost.silenceUs / 1000,
      drives: this.#drives.answer,
      faults: BAD_LINE,
      lateMs: STOP_WAIT_MS,
    });
    const units = UNITS.map((unit) => ({ unit, axis: null }));
    const parts = { ...common, units, log: QUIET, wire: this.#wire, framer: new RtuFramer(), repliesHaveIds: !guarded };
    this.#line = new Line(CONFIG, cost, parts);
  }

  async run(transactions: number): Promise<TrialResult> {
    this.#line.open();
    const startMs = this.#clock.monotonicMs();
    await this.#clock.advance(1);
    const loops = UNITS.flatMap((unit) => [this.#poll(unit), this.#command(unit)]);
    while (this.#count.ended < transactions) await this.#clock.advance(STEP_MS);
    this.#over = true;
    const virtualSeconds = (this.#clock.monotonicMs() - startMs) / 1000;
    const { late } = this.#line.stats().errors;
    await this.#clock.advance(STEP_MS);
    await this.#line.close();
    await this.#clock.advance(STEP_MS);
    await Promise.all(loops);
    const { ended, ...counts } = this.#count;
    const sentTwice = [...this.#drives.writes.values()].filter((times) => times > 1).length;
    const { gapsTooShort, collisions } = this.#wire;
    const told = { ...counts, sentTwice, gapsTooShort, collisions, lateAnswers: late };
    return {
      seed: this.#seed,
      transactions: ended,
      ...told,
      virtualSeconds: Math.round(virtualSeconds),
      polls: this.#polls,
    };
  }

  async #poll(unit: number): Promise<void> {
    while (!this.#over) {
      const request = READS[Math.floor(this.#random.next() * READS.length)] as ModbusRequest & { fn: "read" };
      const done = await this.#ask(unit, request, "poll");
      if (!(done instanceof LinkError)) this.#check(unit, request, done);
      else if (!done.sent) await this.#pause(10);
    }
  }

  /** Each command carries a value of its own: by 06 in one word, by 10h in two. */
  async #command(unit: number): Promise<void> {
    while (!this.#over) {
      await this.#pause(COMMAND_PAUSE_MS * 2 * this.#random.next());
      const number = this.#commands++;
      const address = 500 + 2 * Math.floor(number / 0x10000);
      const value = number & 0xffff;
      const one: ModbusRequest = { fn: "write", address, value };
      const two: ModbusRequest = { fn: "write-many", address, values: [value, unit] };
      const isOne = this.#random.next() < 0.5;
      const done = await this.#ask(unit, isOne ? one : two, "command");
      const key = `${unit}:${address}:${isOne ? value : value * 0x10000 + unit}`;
      const times = this.#drives.writes.get(key) ?? 0;
      const mustBeDone = !(done instanceof LinkError);
      const mustNotBeDone = done instanceof LinkError && !done.sent;
      if ((mustBeDone && times === 0) || (mustNotBeDone && times > 0)) this.#count.toldWrong++;
    }
  }

  async #ask(unit: number, request: ModbusRequest, name: "poll" | "command"): Promise<TransactionDone | LinkError> {
    const done = await this.#line.transact(unit, request, { class: name }).catch((error: unknown) => {
      if (error instanceof LinkError) return error;
      throw error;
    });
    if (done instanceof LinkError && !done.sent) this.#count.refusedUnsent++;
    else {
      this.#count.ended++;
      if (done instanceof LinkError) this.#count.unanswered++;
      else this.#count.answered++;
    }
    return done;
  }

  /** The values must be of the last request that the unit has taken: nobody else may have asked it in between. */
  #check(unit: number, request: ModbusRequest & { fn: "read" }, done: TransactionDone): void {
    const sequence = this.#drives.sequence(unit);
    const right = done.registers.every((value, i) => value === telltale(unit, request.address + i, sequence));
    this.#polls[UNITS.indexOf(unit)] = (this.#polls[UNITS.indexOf(unit)] ?? 0) + 1;
    if (!right || done.registers.length !== request.quantity) this.#count.wrongValues++;
  }

  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => this.#clock.after(ms, resolve));
  }
}
