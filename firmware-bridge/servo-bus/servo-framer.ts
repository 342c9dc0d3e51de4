import type { ExpectedReply } from "../modbus/expected-reply.ts";
import type { Finding, Framer } from "../modbus/framer.ts";
import type { PacketShape, StatusPacket } from "./packet-shape.ts";

/** More than two of the longest packets: a whole answer behind a whole late one. */
const BUFFER_MAX_BYTES = 2048;

/**
 * Packets of a servo bus begin with a header and carry their length. They are taken strictly from left to right: what
 * looks like a packet inside an unfinished one is never believed (Feetech's checksum is a mere byte). An answer matches
 * by unit and count of data bytes; our own request, heard back on a half-duplex line, is passed over.
 */
export class ServoFramer implements Framer {
  readonly #shape: PacketShape;
  #buffer: Uint8Array = new Uint8Array(0);
  #expected: ExpectedReply | undefined;
  #request: Uint8Array = new Uint8Array(0);
  #echoDue = false;
  /** Answers to a request of several units that have come so far. */
  #gathered: Uint8Array[] = [];

  constructor(shape: PacketShape) {
    this.#shape = shape;
  }

  begin(adu: Uint8Array, expected: ExpectedReply): { wire: Uint8Array; findings: readonly Finding[] } {
    const findings = this.end();
    this.#expected = expected;
    this.#request = adu;
    this.#echoDue = true;
    return { wire: adu, findings };
  }

  push(bytes: Uint8Array): readonly Finding[] {
    const findings: Finding[] = [];
    this.#buffer = joined(this.#buffer, bytes);
    while (this.#step(findings));
    if (this.#buffer.length > BUFFER_MAX_BYTES) findings.push(...this.#drop(this.#buffer.length));
    return findings;
  }

  end(): readonly Finding[] {
    this.#expected = undefined;
    const early = this.#gathered.map((wire) => ({ type: "stray" as const, units: [], noiseBytes: 0, wire }));
    this.#gathered = [];
    return [...early, ...this.#drop(this.#buffer.length)];
  }

  reset(): void {
    this.#expected = undefined;
    this.#gathered = [];
    this.#buffer = new Uint8Array(0);
  }

  /** Takes one packet or one stretch of noise from the head; false when more bytes are needed. */
  #step(findings: Finding[]): boolean {
    // Noise goes with what follows it, so that one burst is one finding.
    let at = 0;
    while (at < this.#buffer.length && this.#shape.lengthAt(this.#buffer, at) === 0) at++;
    if (at > 0) findings.push(noise(this.#take(at)));
    const length = this.#shape.lengthAt(this.#buffer, 0);
    if (length === undefined || length === 0 || length > this.#buffer.length) return false;
    if (!this.#shape.isIntact(this.#buffer.subarray(0, length))) {
      if (this.#expected) findings.push({ type: "crc" });
      findings.push(noise(this.#take(1)));
      return true;
    }
    const finding = this.#sort(this.#take(length));
    if (finding) findings.push(finding);
    return true;
  }

  #sort(packet: Uint8Array): Finding | undefined {
    if (this.#echoDue && equal(packet, this.#request)) {
      this.#echoDue = false;
      return undefined;
    }
    const status = this.#shape.status(packet);
    if (!status) return noise(packet);
    const expected = this.#expected;
    const verdict = this.#shape.verdict(status);
    if (expected?.parts) return this.#gather(packet, status, expected.parts);
    if (expected && status.unit === expected.unit) {
      if (verdict === "damaged") return { type: "crc" };
      if (verdict === "refusal" || status.data.length === expected.length) {
        this.#expected = undefined;
        return { type: "reply", adu: packet, wire: packet };
      }
    }
    return { type: "stray", units: [status.unit], noiseBytes: 0, wire: packet };
  }

  /** Answers of several come in the order asked; a refusal or a missing one leaves the whole unanswered. */
  #gather(packet: Uint8Array, status: StatusPacket, parts: NonNullable<ExpectedReply["parts"]>): Finding | undefined {
    const due = parts[this.#gathered.length];
    const isAnswer = this.#shape.verdict(status) === "answer";
    if (!isAnswer || status.unit !== due?.unit || status.data.length !== due.length)
      return { type: "stray", units: [status.unit], noiseBytes: 0, wire: packet };
    this.#gathered.push(packet);
    if (this.#gathered.length < parts.length) return undefined;
    this.#expected = undefined;
    const wire = this.#gathered.reduce(joined);
    this.#gathered = [];
    return { type: "reply", adu: wire, wire };
  }

  #take(count: number): Uint8Array {
    const taken = this.#buffer.slice(0, count);
    this.#buffer = this.#buffer.subarray(count);
    return taken;
  }

  #drop(count: number): readonly Finding[] {
    return count === 0 ? [] : [noise(this.#take(count))];
  }
}

const noise = (wire: Uint8Array): Finding => ({ type: "stray", units: [], noiseBytes: wire.length, wire });

function joined(a: Uint8Array, b: Uint8Array): Uint8Array {
  if (a.length === 0) return b.slice();
  const both = new Uint8Array(a.length + b.length);
  both.set(a);
  both.set(b, a.length);
  return both;
}

const equal = (a: Uint8Array, b: Uint8Array): boolean => a.length === b.length && a.every((byte, i) => b[i] === byte);
