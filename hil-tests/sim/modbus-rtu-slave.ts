import type { Clock, Timer } from "@servofleet/runtime/clock";
import { crcFits, withCrc } from "./modbus-crc.ts";
import { exceptionPdu } from "./modbus-pdu.ts";
import { exceptionCode } from "./register-bank.ts";
import type { DrivePort, Reply } from "./reply-faults.ts";

const BROADCAST = 0;
// Twice the longest RTU frame; what comes beyond it without a pause is no frame any more.
const BUFFER_MAX = 512;
// A pty has no bit times: 3.5 characters are stretched so that a busy machine does not cut a frame in two.
const SILENCE_MIN_MS = 5;

/** The bus end of a serial line: cuts frames, lets each drive answer, and plays the line's own latency. */
export class RtuSlaves {
  readonly #ports: readonly DrivePort[];
  readonly #clock: Clock;
  readonly #send: (bytes: Uint8Array) => void;
  readonly #replyMs: number;
  readonly #silenceMs: number;
  #buffer = Buffer.alloc(0);
  #silence: Timer | undefined;

  /** `replyMs` is the time from the request's last byte to the whole reply; see `typicalReplyMs`. */
  constructor(
    ports: readonly DrivePort[],
    clock: Clock,
    send: (bytes: Uint8Array) => void,
    baud: number,
    replyMs: number,
  ) {
    this.#ports = ports;
    this.#clock = clock;
    this.#send = send;
    this.#replyMs = replyMs;
    this.#silenceMs = Math.max(SILENCE_MIN_MS, 38_500 / baud);
  }

  /** Bytes from the master. */
  receive(bytes: Buffer): void {
    this.#silence?.cancel();
    this.#silence = undefined;
    this.#buffer = Buffer.concat([this.#buffer, bytes]).subarray(-BUFFER_MAX);
    // A late reader finds two requests in one chunk although the line had a pause between them.
    for (let frame = this.#wholeFrame(); frame; frame = this.#wholeFrame()) this.#serve(frame);
    if (this.#buffer.length > 0) this.#silence = this.#clock.after(this.#silenceMs, () => this.#judgeRest());
  }

  /** Forgets half a frame; for an unplugged line. */
  close(): void {
    this.#silence?.cancel();
    this.#buffer = Buffer.alloc(0);
  }

  #wholeFrame(): Buffer | undefined {
    const length = requestLength(this.#buffer);
    if (length === undefined || this.#buffer.length < length) return undefined;
    const frame = this.#buffer.subarray(0, length);
    if (!crcFits(frame)) return undefined;
    this.#buffer = this.#buffer.subarray(length);
    return frame;
  }

  // After a silence the bytes are one frame, whatever they are (Modbus over serial line v1.02, 2.5.1.1).
  #judgeRest(): void {
    const frame = this.#buffer;
    this.#buffer = Buffer.alloc(0);
    if (frame.length < 4) return;
    if (crcFits(frame)) {
      this.#serve(frame);
      return;
    }
    for (const { drive } of this.#ports) drive.damagedFrame?.();
    const port = this.#portOf(frame[0] ?? 0);
    if (!port?.drive.answersBadCrc) return;
    port.drive.advance(this.#clock.monotonicNs());
    if (!port.drive.answering) return;
    this.#post(
      Buffer.concat([frame.subarray(0, 1), exceptionPdu(frame[1] ?? 0, exceptionCode.badCrc)]),
      this.#replyMs,
      false,
      0,
    );
  }

  #serve(frame: Buffer): void {
    const pdu = frame.subarray(1, -2);
    const nowNs = this.#clock.monotonicNs();
    if (frame[0] === BROADCAST) {
      for (const port of this.#ports) port.answer(pdu, nowNs);
      return;
    }
    const reply = this.#portOf(frame[0] ?? 0)?.answer(pdu, nowNs);
    if (reply) this.#answer(reply);
  }

  #answer(reply: Reply): void {
    const body = Buffer.concat([Buffer.of(reply.unit), reply.pdu]);
    this.#post(body, this.#replyMs + reply.delayMs, reply.wrongCrc, reply.cut);
  }

  #post(body: Buffer, delayMs: number, wrongCrc: boolean, cut: number): void {
    const frame = withCrc(body);
    if (wrongCrc) frame[frame.length - 1] = (frame.at(-1) ?? 0) ^ 0x55;
    const bytes = frame.subarray(0, Math.max(0, frame.length - cut));
    if (delayMs <= 0) this.#send(bytes);
    else this.#clock.after(delayMs, () => this.#send(bytes), true);
  }

  #portOf(unit: number): DrivePort | undefined {
    return this.#ports.find((port) => port.drive.unit === unit);
  }
}

/** Length of the request at the head of the buffer with CRC; undefined while too short or of unknown form. */
function requestLength(buffer: Buffer): number | undefined {
  const fc = buffer[1];
  if (fc === undefined) return undefined;
  if (fc >= 0x01 && fc <= 0x06) return 8;
  if (fc === 0x08) return 8;
  if (fc === 0x0f || fc === 0x10) return buffer.length < 7 ? undefined : 9 + (buffer[6] ?? 0);
  return undefined;
}

const LEADSHINE_REPLY_MS: Readonly<Record<number, number>> = { 9600: 20.5, 19200: 10.8, 38400: 5.5, 115200: 2.4 };

/** Typical reply time, ms (iCL-RS manual, communication timing); between its four rates by the wire time. */
export function typicalReplyMs(baud: number): number {
  return LEADSHINE_REPLY_MS[baud] ?? 0.7 + 190_000 / baud;
}
