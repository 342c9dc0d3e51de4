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
  #request = Buffer.alloc(0);
  /**
   * The adapter hears itself (RS-485 without echo suppression). It shows at the first read, and matters for writes: the
   * echo of FC06 is byte for byte the answer of the drive.
   */
  #hearsItself: boolean;
  readonly #localEcho: boolean;

  /** `localEcho`: the adapter is known to hear itself, so that not even the first write takes its own echo for an answer. */
  constructor(localEcho = false) {
    this.#localEcho = localEcho;
    this.#hearsItself = localEcho;
  }

  begin(adu: Uint8Array, expected: ExpectedReply): { wire: Uint8Array; findings: readonly Finding[] } {
    const findings = this.end();
    this.#expected = expected;
    this.#request = Buffer.from(adu);
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
      if (found) {
        findings.push(...found);
        return from < bytes.length ? [...findings, ...this.push(bytes.subarray(from))] : findings;
      }
      // A full buffer without an answer: its older half is noise.
      if (this.#filled === BUFFER_BYTES) findings.push(this.#drop(BUFFER_BYTES / 2));
    }
    return findings;
  }

  end(): readonly Finding[] {
    if (this.#expected) this.#cutEcho();
    this.#expected = undefined;
    this.#crcCountedAt = -1;
    return this.#filled === 0 ? [] : [this.#drop(this.#filled)];
  }

  /** Another adapter may be there afterwards. */
  reset(): void {
    this.#hearsItself = this.#localEcho;
    this.#forget();
  }

  #forget(): void {
    this.#expected = undefined;
    this.#filled = 0;
    this.#crcCountedAt = -1;
  }

  #search(findings: Finding[]): Finding[] | undefined {
    const echoEnd = this.#hearsItself ? this.#echoEnd() : 0;
    if (echoEnd === undefined) return undefined;
    for (let at = echoEnd; at + EXCEPTION_FRAME_BYTES <= this.#filled; at++) {
      const length = this.#candidate(at);
      if (length === 0 || at + length > this.#filled) continue;
      if (crc16(this.#buffer, at, at + length) === 0) return this.#take(at, length);
      if (at <= this.#crcCountedAt) continue;
      this.#crcCountedAt = at;
      findings.push({ type: "crc" });
    }
    return undefined;
  }

  /** Where the answer can start behind our own request; undefined while that has not been heard whole. */
  #echoEnd(): number | undefined {
    const at = Buffer.from(this.#buffer.subarray(0, this.#filled)).indexOf(this.#request);
    return at < 0 ? undefined : at + this.#request.length;
  }

  /** Takes our own request out of the buffer. A read's answer never looks like its request, so there an echo shows itself. */
  #cutEcho(until = this.#filled): number {
    if (until < this.#request.length) return 0;
    const end = this.#expected?.functionCode === 3 || this.#hearsItself ? this.#echoEnd() : undefined;
    if (end === undefined || end > until) return 0;
    this.#hearsItself = true;
    this.#buffer.copyWithin(end - this.#request.length, end, this.#filled);
    this.#filled -= this.#request.length;
    return this.#request.length;
  }

  /** Length of the frame that could start at `at`, 0 when none can. */
  #candidate(at: number): number {
    const expected = this.#expected;
    if (!expected || this.#buffer[at] !== expected.unit) return 0;
    const code = this.#buffer[at + 1];
    if (code === (expected.functionCode | 0x80) || isKincoRefusal(expected.functionCode, code))
      return EXCEPTION_FRAME_BYTES;
    if (code !== expected.functionCode) return 0;
    const matches = expected.fixed.every((byte, i) => this.#buffer[at + 2 + i] === byte || at + 2 + i >= this.#filled);
    return matches ? expected.length : 0;
  }

  #take(found: number, length: number): Finding[] {
    const at = found - this.#cutEcho(found);
    const adu = this.#buffer.slice(at, at + length);
    const findings: Finding[] = at > 0 ? [stray(this.#buffer.subarray(0, at))] : [];
    findings.push({ type: "reply", adu, wire: adu });
    // What came behind stays in the buffer with all other idle bytes until the next begin or end.
    this.#buffer.copyWithin(0, at + length, this.#filled);
    const behind = this.#filled - at - length;
    this.#forget();
    this.#filled = behind;
    return findings;
  }

  #drop(count: number): Finding {
    const dropped = this.#buffer.slice(0, count);
    this.#buffer.copyWithin(0, count, this.#filled);
    this.#filled -= count;
    this.#crcCountedAt = Math.max(-1, this.#crcCountedAt - count);
    return stray(dropped);
  }
}

/** Kinco prints 0x81 for a refused read (FD5P manual, error replies); nobody else says it to function 03. */
const isKincoRefusal = (asked: number, code: number | undefined): boolean => asked === 3 && code === 0x81;

const stray = (bytes: Uint8Array): Finding => ({ type: "stray", ...strayFrames(bytes), wire: bytes.slice() });
