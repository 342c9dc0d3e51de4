import { withCrc } from "./crc16.ts";

/** Where an object lies and how long it is; a telegram with another length is refused by the drive. */
export interface ObjectPlace {
  readonly subindex: number;
  readonly bytes: 1 | 2 | 4;
}

/** One read or write of an object: `address` is its index, `value` its raw bits. */
export interface ObjectRequest {
  readonly fn: "read" | "write";
  readonly address: number;
  readonly object: ObjectPlace;
  readonly value?: number;
}

/** Encapsulated interface transport, and its type that carries CANopen objects (Modbus protocol v1.1b3, 6.19). */
export const MEI_FUNCTION = 0x2b;
const MEI_CANOPEN = 0x0d;
/** Unit, function, ten bytes of header, byte count, CRC. */
const FRAME_BYTES_WITHOUT_DATA = 15;
const DATA_AT = 13;

/** The request as an object telegram; undefined when it asks for registers. */
export function objectRequest(request: {
  readonly fn: string;
  readonly address: number;
  readonly object?: ObjectPlace;
  readonly value?: number;
}): ObjectRequest | undefined {
  const { fn, object } = request;
  return object !== undefined && (fn === "read" || fn === "write") ? { ...request, fn, object } : undefined;
}

/** MEI type, direction, reserved, node, index (high byte first), sub-index, three reserved bytes. */
function header({ fn, address, object }: ObjectRequest): readonly number[] {
  return [MEI_CANOPEN, fn === "write" ? 1 : 0, 0, 0, address >>> 8, address & 0xff, object.subindex, 0, 0, 0];
}

/**
 * The telegram in RTU form; the framer of a TCP line replaces unit and CRC by its own header. Index high byte first,
 * data low byte first (igus dryve D1 manual V2.4, pp. 104-110).
 */
export function objectFrame(unit: number, request: ObjectRequest): Uint8Array {
  const { bytes } = request.object;
  const data = request.fn === "write" ? littleEndian(request.value ?? 0, bytes) : [];
  return withCrc(Uint8Array.from([unit, MEI_FUNCTION, ...header(request), bytes, ...data]));
}

/**
 * What the one right answer looks like: the request's header again, then the size asked for with as many bytes, or 0
 * after a write. An answer of another size is none: two bytes of a four-byte position would be a wrong value.
 */
export function objectReply(unit: number, request: ObjectRequest) {
  const count = request.fn === "read" ? request.object.bytes : 0;
  return {
    unit,
    functionCode: MEI_FUNCTION,
    length: FRAME_BYTES_WITHOUT_DATA + count,
    fixed: [...header(request), count],
  };
}

/** Length of the request in RTU form, bytes. */
export const objectRequestBytes = (request: ObjectRequest): number =>
  FRAME_BYTES_WITHOUT_DATA + (request.fn === "write" ? request.object.bytes : 0);

/** Length of the answer in RTU form, bytes. */
export const objectReplyBytes = (request: ObjectRequest): number =>
  FRAME_BYTES_WITHOUT_DATA + (request.fn === "read" ? request.object.bytes : 0);

/** Whether a frame in RTU form is an answer to an object telegram. */
export const isObjectAnswer = (frame: Uint8Array): boolean => ((frame[1] ?? 0) & 0x7f) === MEI_FUNCTION;

/** Reads a matched answer. Values come as words, low word first, whatever the object's size. */
export function objectAnswer(frame: Uint8Array) {
  if (((frame[1] ?? 0) & 0x80) !== 0) return { type: "exception", exceptionCode: frame[2] ?? 0 } as const;
  const data = frame.subarray(DATA_AT, -2);
  if (data.length === 0) return { type: "written" } as const;
  const registers: number[] = [];
  for (let at = 0; at < data.length; at += 2) registers.push((data[at] ?? 0) | ((data[at + 1] ?? 0) << 8));
  return { type: "registers", registers } as const;
}

const littleEndian = (value: number, bytes: number): readonly number[] =>
  Array.from({ length: bytes }, (_, n) => (value >>> (8 * n)) & 0xff);
