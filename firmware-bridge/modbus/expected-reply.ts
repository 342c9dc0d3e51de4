import { assert, never } from "@servofleet/runtime/assert";
import type { ModbusRequest } from "../link/link.ts";
import { objectReply, objectReplyBytes, objectRequest, objectRequestBytes } from "./mei-objects.ts";

/** Longest RTU frame (Modbus over serial line v1.02, 2.5.1). */
export const RTU_FRAME_MAX_BYTES = 256;
/** Limits of one request (Modbus application protocol v1.1b3, 6.3 and 6.12). */
export const READ_REGISTERS_MAX = 125;
export const WRITE_REGISTERS_MAX = 123;
export const EXCEPTION_FRAME_BYTES = 5;

/** What the one right answer to a request looks like, in RTU form (unit, function, ..., CRC). */
export interface ExpectedReply {
  readonly unit: number;
  readonly functionCode: number;
  /** Whole length in bytes, with unit and CRC. */
  readonly length: number;
  /** Bytes that must follow the function code: a byte count, or the echo of the request. */
  readonly fixed: readonly number[];
}

const word = (value: number): readonly [number, number] => [value >>> 8, value & 0xff];

/** FC03, FC06 or FC16. */
export function functionCodeOf(request: ModbusRequest): 3 | 6 | 16 {
  switch (request.fn) {
    case "read":
      return 3;
    case "write":
      return 6;
    case "write-many":
      return 16;
    default:
      return never(request);
  }
}

/** The answer to expect. */
export function expectedReply(unit: number, request: ModbusRequest): ExpectedReply {
  const telegram = objectRequest(request);
  if (telegram) return objectReply(unit, telegram);
  const functionCode = functionCodeOf(request);
  switch (request.fn) {
    case "read":
      return { unit, functionCode, length: 5 + 2 * request.quantity, fixed: [2 * request.quantity] };
    case "write":
      return { unit, functionCode, length: 8, fixed: [...word(request.address), ...word(request.value)] };
    case "write-many":
      return { unit, functionCode, length: 8, fixed: [...word(request.address), ...word(request.values.length)] };
    default:
      return never(request);
  }
}

/** Length of the request frame in RTU form, bytes. */
export function requestBytes(request: ModbusRequest): number {
  const telegram = objectRequest(request);
  if (telegram) return objectRequestBytes(telegram);
  return request.fn === "write-many" ? 9 + 2 * request.values.length : 8;
}

/** Length of the answer in RTU form, bytes. */
export function replyBytes(request: ModbusRequest): number {
  const telegram = objectRequest(request);
  if (telegram) return objectReplyBytes(telegram);
  return request.fn === "read" ? 5 + 2 * request.quantity : 8;
}

const isWord = (value: number) => Number.isInteger(value) && value >= 0 && value <= 0xffff;

/** A request outside the protocol's limits is a bug of the caller: modbus-serial would send nonsense or throw half-way. */
export function assertRequest(unit: number, request: ModbusRequest): void {
  assert(Number.isInteger(unit) && unit >= 0 && unit <= 255, `unit ${unit} is not 0 to 255`);
  assert(isWord(request.address), `register address ${request.address} is not 0 to 65535`);
  switch (request.fn) {
    case "read":
      assert(
        request.quantity >= 1 && request.quantity <= READ_REGISTERS_MAX,
        `cannot read ${request.quantity} registers`,
      );
      assert(isWord(request.quantity) && request.address + request.quantity <= 0x10000, "read runs over address 65535");
      return;
    case "write":
      assert(request.object || isWord(request.value), `value ${request.value} is not 0 to 65535`);
      return;
    case "write-many":
      assert(
        request.values.length >= 1 && request.values.length <= WRITE_REGISTERS_MAX,
        `cannot write ${request.values.length} registers`,
      );
      assert(request.address + request.values.length <= 0x10000, "write runs over address 65535");
      assert(request.values.every(isWord), "a value is not 0 to 65535");
      return;
    default:
      never(request);
  }
}
