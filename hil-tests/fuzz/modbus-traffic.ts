import type { Random } from "@servofleet/runtime/clock";
import type { ModbusRequest } from "../../firmware-bridge/link/link.ts";
import { between, pick } from "./fuzz-target.ts";

const REGISTERS_MAX = 12;

const word = (value: number): [number, number] => [value >>> 8, value & 0xff];

/** The requests that answers are made for here. */
export type PlainRequest = Extract<ModbusRequest, { fn: "read" | "write" | "write-many" }>;

/** A request as the bridge makes them. */
export function randomRequest(random: Random): PlainRequest {
  const address = between(random, 0, 0xff00);
  const values = Array.from({ length: between(random, 1, REGISTERS_MAX) }, () => between(random, 0, 0xffff));
  return pick<PlainRequest>(random, [
    { fn: "read", address, quantity: values.length },
    { fn: "write", address, value: values[0] ?? 0 },
    { fn: "write-many", address, values },
  ]);
}

/** PDU of the right answer, written from the specification and not from the bridge (v1.1b3, 6.3, 6.6, 6.12). */
export function rightAnswer(random: Random, request: PlainRequest): number[] {
  switch (request.fn) {
    case "read":
      return [3, 2 * request.quantity, ...random.bytes(2 * request.quantity)];
    case "write":
      return [6, ...word(request.address), ...word(request.value)];
    case "write-many":
      return [16, ...word(request.address), ...word(request.values.length)];
  }
}

/** Function code that a request has on the wire. */
export const codeOf = (request: PlainRequest): number => ({ read: 3, write: 6, "write-many": 16 })[request.fn];

/** Why a PDU is no answer to the request; undefined when it is one. Independent of the framers. */
export function misfit(request: PlainRequest, pdu: Uint8Array): string | undefined {
  const code = codeOf(request);
  if (pdu[0] === (code | 0x80)) return pdu.length === 2 ? undefined : "an exception of a wrong length";
  if (pdu[0] !== code) return "another function";
  if (request.fn === "read") {
    const bytes = 2 * request.quantity;
    return pdu[1] === bytes && pdu.length === 2 + bytes ? undefined : "another byte count";
  }
  const second = request.fn === "write" ? request.value : request.values.length;
  const echo = [code, ...word(request.address), ...word(second)];
  return pdu.length === echo.length && echo.every((byte, n) => pdu[n] === byte) ? undefined : "another echo";
}

/** Register values of a read's answer. */
export const valuesOf = (pdu: Uint8Array): number[] =>
  Array.from({ length: (pdu.length - 2) / 2 }, (_, n) => ((pdu[2 + 2 * n] ?? 0) << 8) | (pdu[3 + 2 * n] ?? 0));
