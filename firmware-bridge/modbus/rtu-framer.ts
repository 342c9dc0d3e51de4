import { crc16 } from "./crc16.ts";
import { EXCEPTION_FRAME_BYTES, type ExpectedReply } from "./expected-reply.ts";
import type { Finding, Framer } from "./framer.ts";
import { strayFrames } from "./stray-frames.ts";

/** Twice the longest frame: a whole answer behind a whole late one. */
const BUFFER_BYTES = 512;

/**
 * RTU has no ids and no lengths, only silence and a CRC. The buffer is searched at every offset for a whole frame of the
 * expected unit, function, byte count (or echo) and a good CRC; anything else slides out as noise.
 */
export class RtuFramer implements Framer {
  readonly #buffer = new Uint8Array(BUFFER_BYTES);
  #filled = 0;
  #expected: ExpectedReply | undefined;
  #crcCountedAt = -1;

  begin(adu: Uint8Array, expected: ExpectedReply): { wire: Uint8Array; findings: readonly Finding[] } {
    const findings = this.end();
    this.#expected = expected;
    return { wire: adu, findings };
  }

  push(bytes: Uint8Array): readonly Finding[] {
    const findings: Finding[] = [];
    for (let from = 0; from < bytes.length; ) {
      const room = BUFFER_BYTES - this.#filled;
      const piece = bytes.subarray(from, from + room);
      this.#buffer.set(piece, this.#filled);
      this.#filled += piece.length;
      from += piece.length;
      const found = this.#expected ? this.#search(findings) : undefined;
      if (found) return [...findings, ...found, ...this.push(bytes.subarray(from))];
      // A full buffer without an answer: its older half is noise.
      if (this.#filled === BUFFER_BYTES) findings.push(this.#drop(BUFFER_BYTES / 2));
    }
    return findings;
  }

  end(): readonly Finding[] {
    this.#expected = undefined;
    this.#crcCountedAt = -1;
    return this.#filled === 0 ? [] : [this.#drop(this.#filled)];
  }

  reset(): void {
    this.#expected = undefined;
    this.#filled = 0;
    this.#crcCountedAt = -1;
  }

  #search(findings: Finding[]): Finding[] | undefined {
    for (let at = 0; at + EXCEPTION_FRAME_BYTES <= this.#filled; at++) {
      const length = this.#candidate(at);
      if (length === 0 || at + length > this.#filled) continue;
      if (crc16(this.#buffer, at, at + length) === 0) return this.#take(at, length);
      if (at <= this.#crcCountedAt) continue;
      this.#crcCountedAt = at;
      findings.push({ type: "crc" });
    }
    return undefined;
  }

  /** Length of the frame that could start at `at`, 0 when none can. */
  #candidate(at: number): number {
    const expected = this.#expected;
    if (!expected || this.#buffer[at] !== expected.unit) return 0;
    const code = this.#buffer[at + 1];
    if (code === (expected.functionCode | 0x80)) return EXCEPTION_FRAME_BYTES;
    if (code !== expected.functionCode) return 0;
    const matches = expected.fixed.every((byte, i) => this.#buffer[at + 2 + i] === byte || at + 2 + i >= this.#filled);
    return matches ? expected.length : 0;
  }

  #take(at: number, length: number): Finding[] {
    const adu = this.#buffer.slice(at, at + length);
    const before = this.#buffer.slice(0, at);
    const behind = this.#buffer.slice(at + length, this.#filled);
    this.reset();
    const found: Finding[] = [];
    if (before.length > 0) found.push(stray(before));
    found.push({ type: "reply", adu, wire: adu });
    // What came behind stays in the buffer with all other idle bytes until the next begin or end.
    this.#buffer.set(behind);
    this.#filled = behind.length;
    return found;
  }

  #drop(count: number): Finding {
    const dropped = this.#buffer.slice(0, count);
    this.#buffer.copyWithin(0, count, this.#filled);
    this.#filled -= count;
    this.#crcCountedAt = Math.max(-1, this.#crcCountedAt - count);
    return stray(dropped);
  }
}

const stray = (bytes: Uint8Array): Finding => ({ type: "stray", ...strayFrames(bytes), wire: bytes.slice() });
