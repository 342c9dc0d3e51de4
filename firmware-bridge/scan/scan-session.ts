import { type Clock, sleep } from "@servofleet/runtime/clock";
import type { Wire, WireSession } from "../link/wire.ts";
import { ScanError } from "./scan-error.ts";

const OPEN_LIMIT_MS = 5000;

/** One opening of a line for a scan: question, answer, pause. No queue, no retry, no reconnecting. */
export class ScanSession {
  /** Bytes that nobody had asked for. */
  strayBytes = 0;
  readonly #clock: Clock;
  readonly #pauseMs: number;
  #session: WireSession | undefined;
  #take: ((bytes: Uint8Array) => void) | undefined;
  #downReason: string | undefined;
  #onDown: () => void = () => undefined;

  private constructor(clock: Clock, pauseMs: number) {
    this.#clock = clock;
    this.#pauseMs = pauseMs;
  }

  /** Opens the wire; `pauseMs` is kept free after every question. Rejects with ScanError `line-held` or `line-down`. */
  static async open(wire: Wire, clock: Clock, line: string, pauseMs: number): Promise<ScanSession> {
    const made = new ScanSession(clock, pauseMs);
    await made.#open(wire);
    const reason = made.#downReason;
    if (reason === undefined) return made;
    if (/lock|busy|EBUSY/i.test(reason)) {
      const hint = "a gateway or another program has it: stop that one first, then scan";
      throw new ScanError("line-held", `${line} is held by another process; nothing was sent`, { line, reason }, hint);
    }
    const hint = "check the device or address, the adapter and the rights to open it";
    throw new ScanError("line-down", `${line} cannot be opened: ${reason}`, { line, reason }, hint);
  }

  /**
   * Sends `bytes` and feeds what comes to `read` until it returns an answer; null when none came within `waitMs`.
   * Rejects with ScanError `line-down` when the line ends under way.
   */
  async ask<T>(bytes: Uint8Array, waitMs: number, read: (bytes: Uint8Array) => T | undefined): Promise<T | null> {
    const answer = await new Promise<T | null>((resolve) => {
      // A busy loop may have let the timer pass before bytes that are there already: they are read first.
      const late = () => this.#clock.soon(() => this.#clock.soon(() => resolve(null)));
      const timer = this.#clock.after(waitMs, late);
      const end = (value: T | null) => {
        timer.cancel();
        resolve(value);
      };
      this.#take = (more) => {
        const found = read(more);
        if (found !== undefined) end(found);
      };
      this.#onDown = () => end(null);
      this.#session?.write(bytes);
    });
    this.#take = undefined;
    this.#assertUp();
    await sleep(this.#clock, this.#pauseMs);
    return answer;
  }

  /** Says nothing for `ms`; the bytes heard meanwhile. */
  async listen(ms: number): Promise<number> {
    const before = this.strayBytes;
    await sleep(this.#clock, ms);
    this.#assertUp();
    return this.strayBytes - before;
  }

  async close(): Promise<void> {
    this.#session?.close("the scan has ended");
    await this.#session?.closed;
  }

  #open(wire: Wire): Promise<void> {
    return new Promise((resolve) => {
      const timer = this.#clock.after(OPEN_LIMIT_MS, () => {
        this.#downReason ??= `it did not open within ${OPEN_LIMIT_MS} ms`;
        resolve();
      });
      const opened = () => {
        timer.cancel();
        resolve();
      };
      this.#session = wire.open({
        onUp: opened,
        onBytes: (bytes) => {
          if (this.#take) this.#take(bytes);
          else this.strayBytes += bytes.length;
        },
        onDown: (reason) => {
          this.#downReason ??= reason;
          opened();
          this.#onDown();
        },
      });
    });
  }

  #assertUp(): void {
    const reason = this.#downReason;
    if (reason === undefined) return;
    throw new ScanError(
      "line-down",
      `the line went away: ${reason}`,
      { reason },
      "check cable and adapter, then scan again",
    );
  }
}
