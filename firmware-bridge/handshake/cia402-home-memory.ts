import type { Cia402Dialect } from "../profile/cia402-dialect.ts";
import { STATUS_BIT } from "./cia402-status.ts";

/**
 * What is known of an axis' home position. Drives after the letter of CiA 402 tell it only while in mode 6, so the bridge
 * remembers it since the last power-up it saw. A drive with a bit of its own (Kinco, bit 15) tells it at any time; but
 * whether that bit falls when a new run starts is not established, so a run counts only if the bit was seen low after it
 * began: an old bit is no proof of a new home position. A method that takes the place where the axis stands has a proof of
 * its own: with the bit up, the counter reads what that place was to become.
 */
export class Cia402HomeMemory {
  readonly #ownBit: boolean;
  #homed = false;
  #found = false;
  #runs = false;
  /** The bit was there before the run and has not fallen since. */
  #stale = false;
  /** What the counter reads once the present place is the home position; null for a run to a switch. */
  #here: number | null = null;

  constructor(dialect: Cia402Dialect) {
    this.#ownBit = dialect.homeFound === "bit-15";
  }

  get homed(): boolean {
    return this.#ownBit ? this.#found && !this.#stale : this.#homed;
  }

  get runs(): boolean {
    return this.#runs;
  }

  /** For drives with a bit of their own; undefined where bits 12 and 13 tell it. */
  get phase(): "none" | "attained" | undefined {
    if (!this.#ownBit) return undefined;
    return this.#runs && this.homed ? "attained" : "none";
  }

  /** The run cannot be proven as things stand: the bit was up before it and is still. */
  get unproven(): boolean {
    return this.#runs && this.#stale;
  }

  /** A start of homing is about to be written; `hereCounts` for a method that takes the present place. */
  starts(hereCounts: number | null): void {
    this.#here = hereCounts;
    this.#homed = false;
    this.#runs = true;
    this.#stale = this.#found;
  }

  /** Something else was ordered: what the bits say now is not the end of a run. */
  ends(): void {
    this.#runs = false;
  }

  /** Bits 13, 12 and 10 have shown the end of the run. */
  attained(): void {
    if (this.#runs) this.#homed = true;
  }

  /** The drive was switched off and on, or somebody else has it. */
  forget(): void {
    this.#homed = false;
    this.#runs = false;
  }

  /** One reading; both of the same pass, counts within `windowCounts` are the same place. */
  seen(statusword: number, positionCounts: number | undefined, windowCounts: number): void {
    this.#found = (statusword & STATUS_BIT.homeFound) !== 0;
    const away = this.#here === null || positionCounts === undefined ? Infinity : Math.abs(positionCounts - this.#here);
    if (!this.#found || (this.#runs && away <= windowCounts)) this.#stale = false;
  }
}
