import { registerValue } from "./register-value.ts";

const WORD = 0x10000;
/** What one more request adds to a register. */
const STEP = registerValue(0, 0, 1);

/** Tells whether an answer of the paced line is the one to this request: right unit, right address, not an older one. */
export class ValueCheck {
  /** Answers that were somebody else's. */
  wrong = 0;
  /** First register of the last answer, less its address's part, by unit; none after a loss. */
  readonly #last = new Map<number, number>();

  /** Judges the answer to a read of `count` registers from `address`. Every request to the unit has to pass here or by `lost`. */
  answer(unit: number, address: number, registers: readonly number[], count: number): void {
    const [first = Number.NaN] = registers;
    const now = (first - registerValue(0, address, 0) + WORD) % WORD;
    const before = this.#last.get(unit);
    this.#last.set(unit, now);
    const inOne = registers.every((word, at) => word === (first + registerValue(0, at, 0)) % WORD);
    const isNext = before === undefined || now === (before + STEP) % WORD;
    if (registers.length !== count || !inOne || !isNext) this.wrong += 1;
  }

  /** The unit may have heard a request that was not answered: the next number is not known. */
  lost(unit: number): void {
    this.#last.delete(unit);
  }
}
