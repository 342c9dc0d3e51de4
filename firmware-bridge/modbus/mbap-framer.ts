import { withCrc } from "./crc16.ts";
import { EXCEPTION_FRAME_BYTES, type ExpectedReply } from "./expected-reply.ts";
import type { Finding, Framer } from "./framer.ts";

/** Transaction id, protocol id, length (Modbus messaging on TCP/IP v1.0b, 3.1.3); the unit counts into the length. */
const HEADER_BYTES = 6;
const LENGTH_MIN = 2;
const LENGTH_MAX = 254;

/** Modbus TCP: 16-bit ids say which request an answer belongs to; a header that cannot be right ends the connection. */
export class MbapFramer implements Framer {
  #buffer = new Uint8Array(0);
  #id = -1;
  readonly #nextId: () => number;
  #expected: ExpectedReply | undefined;

  /** `ids`: the one before the first, or where they come from. They start at a random one, so that answers to a former process on the same gateway do not fit. */
  constructor(ids: number | (() => number)) {
    let id = typeof ids === "number" ? ids & 0xffff : 0;
    this.#nextId = typeof ids === "number" ? () => (id = (id + 1) & 0xffff) : ids;
  }

  /** Whether the answer with this id is the one it waits for. */
  awaits(id: number): boolean {
    return this.#expected !== undefined && this.#id === id;
  }

  begin(adu: Uint8Array, expected: ExpectedReply): { wire: Uint8Array; findings: readonly Finding[] } {
    this.#expected = expected;
    this.#id = this.#nextId();
    const body = adu.subarray(0, adu.length - 2);
    const wire = new Uint8Array(HEADER_BYTES + body.length);
    wire.set([this.#id >>> 8, this.#id & 0xff, 0, 0, body.length >>> 8, body.length & 0xff]);
    wire.set(body, HEADER_BYTES);
    return { wire, findings: [] };
  }

  push(bytes: Uint8Array): readonly Finding[] {
    const findings: Finding[] = [];
    this.#buffer = concat(this.#buffer, bytes);
    while (this.#buffer.length >= HEADER_BYTES) {
      const view = new DataView(this.#buffer.buffer, this.#buffer.byteOffset, this.#buffer.byteLength);
      const protocol = view.getUint16(2);
      const length = view.getUint16(4);
      if (protocol !== 0 || length < LENGTH_MIN || length > LENGTH_MAX) {
        this.reset();
        return [...findings, { type: "broken", reason: `header says protocol ${protocol}, length ${length}` }];
      }
      if (this.#buffer.length < HEADER_BYTES + length) break;
      const wire = this.#buffer.slice(0, HEADER_BYTES + length);
      this.#buffer = this.#buffer.subarray(HEADER_BYTES + length);
      findings.push(this.#sort(view.getUint16(0), wire));
    }
    return findings;
  }

  /** A frame that is under way stays: its id will show that it is late. */
  end(): readonly Finding[] {
    this.#expected = undefined;
    return [];
  }

  reset(): void {
    this.#buffer = new Uint8Array(0);
    this.#expected = undefined;
  }

  #sort(id: number, wire: Uint8Array): Finding {
    const body = wire.subarray(HEADER_BYTES);
    const unit = body[0] ?? 0;
    const expected = this.#expected;
    if (!expected || id !== this.#id) return { type: "stray", units: [unit], noiseBytes: 0, wire };
    const adu = withCrc(body);
    // The right id with a wrong body is not an answer: a broken gateway must not pass for a drive.
    if (!matches(adu, expected)) return { type: "stray", units: [], noiseBytes: wire.length, wire };
    this.#expected = undefined;
    return { type: "reply", adu, wire };
  }
}

function matches(adu: Uint8Array, expected: ExpectedReply): boolean {
  if (adu[0] !== expected.unit) return false;
  if (adu[1] === (expected.functionCode | 0x80)) return adu.length === EXCEPTION_FRAME_BYTES;
  return (
    adu[1] === expected.functionCode &&
    adu.length === expected.length &&
    expected.fixed.every((byte, i) => adu[2 + i] === byte)
  );
}

function concat(a: Uint8Array, b: Uint8Array): Uint8Array<ArrayBuffer> {
  const both = new Uint8Array(a.length + b.length);
  both.set(a);
  both.set(b, a.length);
  return both;
}
