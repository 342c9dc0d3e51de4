import { never } from "@servofleet/runtime/assert";
import type { ModbusRequest } from "../link/link.ts";
import type { CodecReply } from "./codec-reply.ts";
import { crc16 } from "./crc16.ts";
import { functionCodeOf, requestBytes } from "./expected-reply.ts";
import { isObjectAnswer, objectAnswer, objectFrame, objectRequest } from "./mei-objects.ts";

const CRC_BYTES = 2;
const EXCEPTION_BIT = 0x80;

/** Fills a frame from left to right, high byte first (Modbus application protocol v1.1b3, 4.2). */
class FrameWriter {
  readonly frame: Uint8Array;
  #at = 0;

  constructor(length: number) {
    this.frame = new Uint8Array(length);
  }

  byte(value: number): this {
    this.frame[this.#at++] = value;
    return this;
  }

  word(value: number): this {
    return this.byte(value >>> 8).byte(value & 0xff);
  }

  words(values: readonly number[]): this {
    this.byte(2 * values.length);
    for (const value of values) this.word(value);
    return this;
  }

  /** Low byte first (Modbus over serial line v1.02, 2.5.1.2). */
  closed(): Uint8Array {
    const crc = crc16(this.frame, 0, this.#at);
    this.byte(crc & 0xff).byte(crc >>> 8);
    return this.frame;
  }
}

/**
 * The request in RTU form: unit, PDU, CRC (Modbus application protocol v1.1b3, 6.3 FC03, 6.6 FC06, 6.12 FC16, 6.17 FC23;
 * object telegrams of FC43 as `mei-objects.ts` has them). The request has passed `assertRequest`.
 */
export function registerRequest(unit: number, request: ModbusRequest): Uint8Array {
  const telegram = objectRequest(request);
  if (telegram) return objectFrame(unit, telegram);
  const out = new FrameWriter(requestBytes(request)).byte(unit).byte(functionCodeOf(request));
  switch (request.fn) {
    case "read":
      return out.word(request.address).word(request.quantity).closed();
    case "write":
      return out.word(request.address).word(request.value).closed();
    case "write-many":
      return out.word(request.address).word(request.values.length).words(request.values).closed();
    case "read-write":
      return out
        .word(request.address)
        .word(request.quantity)
        .word(request.writeAddress)
        .word(request.values.length)
        .words(request.values)
        .closed();
    default:
      return never(request);
  }
}

/** What an answer says (RTU form) that the framer has matched: unit, function, byte count or echo, and CRC are right. */
export function registerReply(frame: Uint8Array): CodecReply {
  if (isObjectAnswer(frame)) return objectAnswer(frame);
  const code = frame[1] ?? 0;
  if (isExceptionFrame(frame)) return { type: "exception", exceptionCode: frame[2] ?? 0 };
  if (code !== 3 && code !== 23) return { type: "written" };
  const registers: number[] = [];
  for (let at = 3; at < frame.length - CRC_BYTES; at += 2)
    registers.push(((frame[at] ?? 0) << 8) | (frame[at + 1] ?? 0));
  return { type: "registers", registers };
}

/** Whether an answer is a refusal (Modbus application protocol v1.1b3, 7). */
export const isExceptionFrame = (frame: Uint8Array): boolean => ((frame[1] ?? 0) & EXCEPTION_BIT) !== 0;
