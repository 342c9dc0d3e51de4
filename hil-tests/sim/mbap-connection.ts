import type { Clock } from "@servofleet/runtime/clock";
import type { DrivePort, Reply } from "./reply-faults.ts";

const MBAP_BYTES = 7;
const LENGTH_MAX = 254;

export interface MbapConnectionParts {
  readonly ports: readonly DrivePort[];
  readonly clock: Clock;
  readonly replyMs: number;
  /** Called only while the connection takes bytes. */
  readonly send: (bytes: Uint8Array) => void;
  readonly hangUp: () => void;
}

/** The server's end of one Modbus TCP connection: cuts frames and lets each drive answer (v1.0b, 3.1). */
export class MbapConnection {
  readonly #parts: MbapConnectionParts;
  #buffer = Buffer.alloc(0);

  constructor(parts: MbapConnectionParts) {
    this.#parts = parts;
  }

  /** Bytes from the master. */
  receive(bytes: Buffer): void {
    this.#buffer = Buffer.concat([this.#buffer, bytes]);
    while (this.#buffer.length >= MBAP_BYTES) {
      const length = this.#buffer.readUInt16BE(4);
      // Nothing after a broken header can be trusted, and a TCP error gets no answer: hang up.
      if (this.#buffer.readUInt16BE(2) !== 0 || length < 2 || length > LENGTH_MAX) {
        this.#parts.hangUp();
        return;
      }
      if (this.#buffer.length < 6 + length) return;
      this.#serve(this.#buffer.subarray(0, 6 + length));
      this.#buffer = this.#buffer.subarray(6 + length);
    }
  }

  #serve(frame: Buffer): void {
    const { ports, clock, replyMs, send } = this.#parts;
    const port = ports.find(({ drive }) => drive.unit === frame[6]);
    const reply = port?.answer(frame.subarray(7), clock.monotonicNs());
    if (!reply) return;
    const bytes = mbap(frame.readUInt16BE(0), reply);
    const delayMs = replyMs + reply.delayMs;
    if (delayMs <= 0) send(bytes);
    else clock.after(delayMs, () => send(bytes), true);
  }
}

function mbap(transaction: number, reply: Reply): Buffer {
  const header = Buffer.alloc(MBAP_BYTES);
  header.writeUInt16BE(transaction, 0);
  header.writeUInt16BE(1 + reply.pdu.length, 4);
  header[6] = reply.unit;
  const frame = Buffer.concat([header, reply.pdu]);
  return frame.subarray(0, Math.max(0, frame.length - reply.cut));
}
