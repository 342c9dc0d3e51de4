import { crcOf, exceptionTo, withCrcOf } from "./answers.ts";
import type { VirtualDrives } from "./virtual-line.ts";

/** The one register value that a unit shows at an address in its n-th answer: a shifted or stale answer shows itself. */
export const telltale = (unit: number, address: number, sequence: number): number =>
  (unit * 7919 + address * 104_729 + sequence * 31) & 0xffff;

/** Above this address there is nothing. */
export const LAST_ADDRESS = 0x0fff;

/** Drives whose every answer can be told from every other, and that remember what was written to them. */
export class TelltaleDrives {
  readonly silent = new Set<number>();
  /** How often each value was written, by `unit:value`. */
  readonly writes = new Map<string, number>();
  readonly #sequence = new Map<number, number>();
  readonly #turnaroundMs: (unit: number) => number;

  constructor(turnaroundMs: (unit: number) => number) {
    this.#turnaroundMs = turnaroundMs;
  }

  /** How many requests the unit has taken. */
  sequence(unit: number): number {
    return this.#sequence.get(unit) ?? 0;
  }

  readonly answer: VirtualDrives = (request) => {
    const unit = request[0] ?? 0;
    const body = Buffer.from(request.subarray(0, -2));
    if (request.length < 8 || crcOf(body) !== Buffer.from(request).readUInt16LE(request.length - 2)) return undefined;
    if (unit === 0 || this.silent.has(unit)) return undefined;
    const sequence = this.sequence(unit) + 1;
    this.#sequence.set(unit, sequence);
    return { bytes: this.#reply(unit, request, body, sequence), afterMs: this.#turnaroundMs(unit) };
  };

  #reply(unit: number, request: Uint8Array, body: Buffer, sequence: number): Uint8Array {
    const address = body.readUInt16BE(2);
    const word = body.readUInt16BE(4);
    if (body[1] === 3) {
      if (address + word - 1 > LAST_ADDRESS) return exceptionTo(request, 2);
      const values = Array.from({ length: word }, (_, i) => telltale(unit, address + i, sequence));
      return withCrcOf([unit, 3, 2 * word, ...values.flatMap((value) => [value >> 8, value & 0xff])]);
    }
    const value = body[1] === 16 ? body.readUInt16BE(7) * 0x10000 + (word > 1 ? body.readUInt16BE(9) : 0) : word;
    const key = `${unit}:${address}:${value}`;
    this.writes.set(key, (this.writes.get(key) ?? 0) + 1);
    return withCrcOf([...body.subarray(0, 6)]);
  }
}
