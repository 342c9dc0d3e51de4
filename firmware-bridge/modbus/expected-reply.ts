import { assert, never } from "@servofleet/runtime/assert";
import type { ModbusRequest } from "../link/link.ts";
import { objectReply, objectReplyBytes, objectRequest, objectRequestBytes } from "./mei-objects.ts";

/** Longest RTU frame (Modbus over serial line v1.02, 2.5.1). */
export const RTU_FRAME_MAX_BYTES = 256;
/** Limits of one request (Modbus application protocol v1.1b3, 6.3, 6.12 and 6.17). */
export const READ_REGISTERS_MAX = 125;
export const WRITE_REGISTERS_MAX = 123;
export const READ_WRITE_REGISTERS_MAX = 121;
export const EXCEPTION_FRAME_BYTES = 5;

/** What the one right answer to a request looks like, in RTU form (unit, function, ..., CRC). */
export interface ExpectedReply {
  readonly unit: number;
  readonly functionCode: number;
  /** Whole length in bytes, with unit and CRC. */
  readonly length: number;
  /** Bytes that must follow the function code: a byte count, or the echo of the request. */
  readonly fixed: readonly number[];
  /** The answers of several units, one behind the other in this order; only on servo buses. */
  readonly parts?: readonly { readonly unit: number; readonly length: number }[];
}

const word = (value: number): readonly [number, number] => [value >>> 8, value & 0xff];

/** FC03, FC06, FC16 or FC23. */
export function functionCodeOf(request: ModbusRequest): 3 | 6 | 16 | 23 {
  switch (request.fn) {
    case "read":
      return 3;
    case "write":
      return 6;
    case "write-many":
      return 16;
    case "read-write":
      return 23;
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
    case "read-write":
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
  if (request.fn === "read-write") return 13 + 2 * request.values.length;
  return request.fn === "write-many" ? 9 + 2 * request.values.length : 8;
}

/** Length of the answer in RTU form, bytes. */
export function replyBytes(request: ModbusRequest): number {
  const telegram = objectRequest(request);
  if (telegram) return objectReplyBytes(telegram);
  return request.fn === "read" || request.fn === "read-write" ? 5 + 2 * request.quantity : 8;
}

const isWord = (value: number) => Number.isInteger(value) && value >= 0 && value <= 0xffff;

/** A request outside the protocol's limits is a bug of the caller: modbus-serial would send nonsense or throw half-way. */
export function assertRequest(unit: number, request: ModbusRequest): void {
  assert(Number.isInteger(unit) && unit >= 0 && unit <= 255, `unit ${unit} is not 0 to 255`);
  assert(isWord(request.address), `register address ${request.address} is not 0 to 65535`);
  switch (request.fn) {
    case "read":
      assertRead(request);
      return;
    case "write":
      assert(request.object || isWord(request.value), `value ${request.value} is not 0 to 65535`);
      return;
    case "write-many":
      assertWrite(request.address, request.values, WRITE_REGISTERS_MAX);
      return;
    case "read-write":
      assertRead(request);
      assert(isWord(request.writeAddress), `register address ${request.writeAddress} is not 0 to 65535`);
      assertWrite(request.writeAddress, request.values, READ_WRITE_REGISTERS_MAX);
      return;
    default:
      never(request);
  }
}

function assertRead({ address, quantity }: { readonly address: number; readonly quantity: number }): void {
  assert(quantity >= 1 && quantity <= READ_REGISTERS_MAX, `cannot read ${quantity} registers`);
  assert(isWord(quantity) && address + quantity <= 0x10000, "read runs over address 65535");
}

function assertWrite(address: number, values: readonly number[], max: number): void {
  assert(values.length >= 1 && values.length <= max, `cannot write ${values.length} registers`);
  assert(address + values.length <= 0x10000, "write runs over address 65535");
  assert(values.every(isWord), "a value is not 0 to 65535");
}
