import type { Clock, Random } from "@servofleet/runtime/clock";
import type { Wire, WireHandlers, WireSession } from "../wire.ts";

/** What may happen to a frame on the way, as shares of all frames of its direction (0 to 1). */
export interface LineFaults {
  /** The frame never arrives: half of it requests, half answers. */
  readonly loss: number;
  /** One to three bits are turned over: as many as CRC-16 finds for certain at these lengths. */
  readonly flips: number;
  /** The answer comes twice, the second right behind the first. */
  readonly duplicates: number;
  /** The answer comes when nobody waits for it any more. */
  readonly late: number;
}
export const NO_FAULTS: LineFaults = { loss: 0, flips: 0, duplicates: 0, late: 0 };

/** Answers a whole request that reached the drives: undefined for silence. */
export type VirtualDrives = (
  request: Uint8Array,
) => { readonly bytes: Uint8Array; readonly afterMs: number } | undefined;

export interface VirtualLineParts {
  readonly clock: Clock;
  readonly random: Random;
  readonly characterMs: number;
  /** Frames that follow a byte sooner are counted as `gapsTooShort`. */
  readonly silenceMs: number;
  readonly drives: VirtualDrives;
  readonly faults: LineFaults;
  /** A late answer comes between 1 and 4 times this after the request, ms. */
  readonly lateMs: number;
}

/** Frames on the line now: two of them spoil each other. */
interface Talk {
  readonly endMs: number;
  spoilt: boolean;
}

/** A UART hands over what it has in pieces of about this many bytes. */
const CHUNK_BYTES = 8;
/** Rounding of virtual nanoseconds. */
const ROUNDING_MS = 1e-5;

/** A half-duplex RS-485 line in virtual time: bytes take their time, two talkers spoil both frames, faults by seed. */
export class VirtualLine implements Wire {
  readonly #parts: VirtualLineParts;
  #handlers: WireHandlers | undefined;
  #talk: Talk = { endMs: 0, spoilt: false };
  /** When each drive is through with what it has to say: a drive answers in order. */
  readonly #saidMs = new Map<number, number>();
  /** When the master last heard or spoke: whoever has only just begun it cannot hear. */
  #heardMs = Number.NEGATIVE_INFINITY;
  faults: LineFaults;
  collisions = 0;
  gapsTooShort = 0;
  /** First byte of every request, monotonic ms, and the request. */
  onRequest: (atMs: number, request: Uint8Array) => void = () => undefined;

  constructor(parts: VirtualLineParts) {
    this.#parts = parts;
    this.faults = parts.faults;
  }

  open(handlers: WireHandlers): WireSession {
    this.#handlers = handlers;
    this.#parts.clock.soon(() => handlers.onUp());
    return {
      write: (bytes) => this.#request(bytes.slice()),
      drain: () => new Uint8Array(0),
      close: (reason) => {
        if (!this.#handlers) return;
        this.#handlers = undefined;
        handlers.onDown(reason);
      },
      closed: Promise.resolve(),
    };
  }

  #request(bytes: Uint8Array): number {
    const { clock, characterMs, silenceMs, drives, random } = this.#parts;
    const nowMs = clock.monotonicMs();
    if (nowMs + ROUNDING_MS < this.#heardMs + silenceMs) this.gapsTooShort++;
    this.onRequest(nowMs, bytes);
    const talk = this.#begin(bytes.length * characterMs);
    this.#heardMs = nowMs + bytes.length * characterMs;
    const lost = random.next() < this.faults.loss / 2;
    const heard = random.next() < this.faults.flips / 2 ? this.#flipped(bytes) : bytes;
    clock.after(bytes.length * characterMs, () => {
      if (lost || talk.spoilt) return;
      const answer = drives(heard);
      if (answer) this.#answer(bytes[0] ?? 0, answer.bytes, answer.afterMs);
    });
    return bytes.length;
  }

  #answer(unit: number, bytes: Uint8Array, afterMs: number): void {
    const { clock, random, lateMs } = this.#parts;
    const nowMs = clock.monotonicMs();
    const isLate = random.next() < this.faults.late;
    const delayMs = isLate ? lateMs * (1 + 3 * random.next()) : afterMs;
    const times = random.next() < this.faults.duplicates ? 2 : 1;
    const lost = random.next() < this.faults.loss / 2;
    const said = random.next() < this.faults.flips / 2 ? this.#flipped(bytes) : bytes;
    const startMs = Math.max(nowMs + delayMs, (this.#saidMs.get(unit) ?? 0) + afterMs);
    this.#saidMs.set(unit, startMs + times * bytes.length * this.#parts.characterMs);
    if (lost) return;
    clock.after(startMs - nowMs, () => this.#say(said, times));
  }

  /** Puts an answer on the line, in pieces as a UART delivers them. */
  #say(bytes: Uint8Array, times: number): void {
    const { clock, characterMs } = this.#parts;
    const all = times === 1 ? bytes : Uint8Array.from([...bytes, ...bytes]);
    const talk = this.#begin(all.length * characterMs);
    for (let from = 0; from < all.length; from += CHUNK_BYTES) {
      const piece = all.subarray(from, from + CHUNK_BYTES);
      const last = from + CHUNK_BYTES >= all.length;
      clock.after((from + piece.length) * characterMs, () => {
        this.#heardMs = clock.monotonicMs();
        this.#handlers?.onBytes(talk.spoilt && last ? this.#flipped(piece) : piece.slice());
      });
    }
  }

  #begin(durationMs: number): Talk {
    const nowMs = this.#parts.clock.monotonicMs();
    const before = this.#talk;
    const collides = nowMs + ROUNDING_MS < before.endMs;
    if (collides) {
      this.collisions++;
      before.spoilt = true;
    }
    this.#talk = { endMs: Math.max(before.endMs, nowMs + durationMs), spoilt: collides };
    return this.#talk;
  }

  #flipped(bytes: Uint8Array): Uint8Array {
    const { random } = this.#parts;
    const turned = bytes.slice();
    for (let bit = 0; bit <= Math.floor(random.next() * 3); bit++) {
      const at = Math.floor(random.next() * turned.length * 8);
      turned[at >> 3] = (turned[at >> 3] ?? 0) ^ (1 << (at & 7));
    }
    return turned;
  }
}
