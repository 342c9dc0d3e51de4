import { assert, never } from "@servofleet/runtime/assert";
import type { FrameSizes, LineCodec } from "../link/line-codec.ts";
import type { ModbusRequest, ReadRequest, UnitPart } from "../link/link.ts";
import type { CodecReply } from "../modbus/codec-reply.ts";
import type { ExpectedReply } from "../modbus/expected-reply.ts";
import { DYNAMIXEL, dynamixelPacket, dynamixelShape } from "./dynamixel-packet.ts";
import { FEETECH, feetechPacket, feetechShape } from "./feetech-packet.ts";
import {
  type GroupInstructions,
  type GroupRequest,
  groupOf,
  groupParameters,
  SERVO_BROADCAST,
} from "./group-packet.ts";
import type { PacketShape } from "./packet-shape.ts";

/** A servo protocol as a line speaks it. "Registers" are bytes of the control table, one address each. */
export interface ServoProtocol {
  readonly shape: PacketShape;
  readonly packet: (unit: number, request: ModbusRequest) => Uint8Array;
  /** Data bytes of the answer. */
  readonly dataBytes: (request: ModbusRequest) => number;
  readonly sizes: FrameSizes;
}

const low = (value: number) => value & 0xff;
const high = (value: number) => value >>> 8;
const bytesOf = (request: Exclude<ModbusRequest, { fn: "read" }>): readonly number[] =>
  request.fn === "write" ? [request.value] : request.values;

/** Header, id, length, instruction, CRC; a status packet has the error byte on top (e-manual, Protocol 2.0). */
const DYNAMIXEL_FRAME_BYTES = 10;
/** Header, id, length, instruction or error byte, checksum. */
const FEETECH_FRAME_BYTES = 6;

/**
 * A write to 0xFF00 + n is instruction n without parameters (reboot is 0xFF08): no control table reaches that far, and
 * a profile can name an instruction as it names a register.
 */
const INSTRUCTIONS = 0xff00;
const instructionOf = (request: ModbusRequest): number | undefined =>
  request.fn !== "read" && request.address >= INSTRUCTIONS ? request.address - INSTRUCTIONS : undefined;

const groupPacket = (
  packet: (id: number, instruction: number, parameters: readonly number[]) => Uint8Array,
  [instruction, ...parameters]: readonly [number, ...number[]],
): Uint8Array => packet(SERVO_BROADCAST, instruction, parameters);

/** Nobody answers a write to several; a read of several is answered by each with a packet of its own. */
const groupSizes = (
  frameBytes: number,
  word: (value: number) => readonly number[],
  instructions: GroupInstructions,
  single: FrameSizes,
): FrameSizes => ({
  request(request) {
    const group = groupOf(request);
    // The instruction is counted with the frame.
    return group ? frameBytes + groupParameters(group, instructions, word).length - 1 : single.request(request);
  },
  reply(request) {
    const group = groupOf(request);
    if (!group) return single.reply(request);
    if (group.fn !== "read") return 0;
    return partReads(group.parts).reduce((bytes, part) => bytes + single.reply(part), 0);
  },
});

const partReads = (parts: readonly UnitPart[]): readonly ReadRequest[] =>
  parts.map(({ address, quantity }) => ({ fn: "read", address, quantity }));

/** Dynamixel Protocol 2.0: 16-bit addresses and lengths. */
export const dynamixelProtocol: ServoProtocol = {
  shape: dynamixelShape,
  packet(unit, request) {
    const instruction = instructionOf(request);
    if (instruction !== undefined) return dynamixelPacket(unit, instruction, []);
    const group = groupOf(request);
    if (group)
      return groupPacket(
        dynamixelPacket,
        groupParameters(group, DYNAMIXEL, (value) => [low(value), high(value)]),
      );
    const address = [low(request.address), high(request.address)];
    if (request.fn !== "read") return dynamixelPacket(unit, DYNAMIXEL.write, [...address, ...bytesOf(request)]);
    return dynamixelPacket(unit, DYNAMIXEL.read, [...address, low(request.quantity), high(request.quantity)]);
  },
  dataBytes: (request) => (request.fn === "read" ? request.quantity : 0),
  sizes: groupSizes(DYNAMIXEL_FRAME_BYTES, (value) => [low(value), high(value)], DYNAMIXEL, {
    request: (request) => DYNAMIXEL_FRAME_BYTES + 2 + (request.fn === "read" ? 2 : bytesOf(request).length),
    reply: (request) => DYNAMIXEL_FRAME_BYTES + 1 + (request.fn === "read" ? request.quantity : 0),
  }),
};

/**
 * The answer to a read of two bytes can equal its own request byte for byte (error byte 02, data = address and count),
 * so two bytes are read as three: then our echo on a half-duplex adapter is never taken for the answer, nor the answer
 * for an echo.
 */
const askedBytes = (quantity: number): number => (quantity === 2 ? 3 : quantity);
const asked = (group: GroupRequest): GroupRequest =>
  group.fn === "read"
    ? { ...group, parts: group.parts.map((part) => ({ ...part, quantity: askedBytes(part.quantity) })) }
    : group;

/** Feetech SCS/STS: 8-bit addresses. */
export const feetechProtocol: ServoProtocol = {
  shape: feetechShape,
  packet(unit, request) {
    assert(request.address <= 0xff, `address ${request.address} is beyond a Feetech memory table`);
    const group = groupOf(request);
    if (group)
      return groupPacket(
        feetechPacket,
        groupParameters(asked(group), FEETECH, (value) => [value]),
      );
    if (request.fn !== "read") return feetechPacket(unit, FEETECH.write, [request.address, ...bytesOf(request)]);
    return feetechPacket(unit, FEETECH.read, [request.address, askedBytes(request.quantity)]);
  },
  dataBytes: (request) => (request.fn === "read" ? askedBytes(request.quantity) : 0),
  sizes: groupSizes(FEETECH_FRAME_BYTES, (value) => [value], FEETECH, {
    request: (request) => FEETECH_FRAME_BYTES + 1 + (request.fn === "read" ? 1 : bytesOf(request).length),
    reply: (request) => FEETECH_FRAME_BYTES + (request.fn === "read" ? askedBytes(request.quantity) : 0),
  }),
};

/** The codec of a servo bus for a line: requests into packets, matched status packets into values. */
export class ServoCodec implements LineCodec {
  readonly bareReplies = true;
  readonly #protocol: ServoProtocol;
  #request: ModbusRequest | undefined;
  #settle: ((reply: CodecReply) => void) | undefined;

  constructor(protocol: ServoProtocol) {
    this.#protocol = protocol;
  }

  begin(unit: number, request: ModbusRequest, settle: (reply: CodecReply) => void): Uint8Array {
    this.#request = request;
    this.#settle = settle;
    return this.#protocol.packet(unit, request);
  }

  /** `length` counts data bytes: the framer of servo buses matches by them. */
  expected(unit: number, request: ModbusRequest): ExpectedReply {
    const length = this.#protocol.dataBytes(request);
    const group = groupOf(request);
    if (group?.fn !== "read") return { unit, functionCode: 0, length, fixed: [] };
    const lengths = partReads(group.parts).map(this.#protocol.dataBytes);
    const parts = group.parts.map((part, n) => ({ unit: part.unit, length: lengths[n] ?? 0 }));
    return { unit, functionCode: 0, length, fixed: [], parts };
  }

  isException(frame: Uint8Array): boolean {
    if (this.#request && groupOf(this.#request)) return false;
    const status = this.#protocol.shape.status(frame);
    return status !== undefined && this.#protocol.shape.verdict(status) === "refusal";
  }

  deliver(frame: Uint8Array): void {
    const settle = this.#settle;
    const request = this.#request;
    this.abandon();
    const group = request && groupOf(request);
    if (group) {
      settle?.({ type: "registers", registers: this.#registersOf(group, frame) });
      return;
    }
    const status = this.#protocol.shape.status(frame);
    assert(status !== undefined && request !== undefined, "the framer matched no status packet");
    if (this.#protocol.shape.verdict(status) === "refusal")
      settle?.({ type: "exception", exceptionCode: status.error & 0x7f });
    else settle?.(replyOf(request, status.data));
  }

  /** The data of all answers, as they were asked for. */
  #registersOf({ parts }: GroupRequest, frames: Uint8Array): readonly number[] {
    const { shape } = this.#protocol;
    const registers: number[] = [];
    let at = 0;
    for (const { quantity } of parts) {
      const length = shape.lengthAt(frames, at) ?? 0;
      const status = shape.status(frames.subarray(at, at + length));
      assert(status !== undefined, "the framer matched no status packet");
      registers.push(...status.data.subarray(0, quantity));
      at += length;
    }
    return registers;
  }

  abandon(): void {
    this.#settle = undefined;
    this.#request = undefined;
  }
}

function replyOf(request: ModbusRequest, data: Uint8Array): CodecReply {
  switch (request.fn) {
    case "read":
      return { type: "registers", registers: [...data.subarray(0, request.quantity)] };
    case "write":
    case "write-many":
    case "read-write":
      return { type: "written" };
    default:
      return never(request);
  }
}
