import type { Random } from "@servofleet/runtime/clock";
import type { ModbusRequest } from "../../firmware-bridge/link/link.ts";
import type { CodecReply } from "../../firmware-bridge/modbus/codec-reply.ts";
import type { Finding } from "../../firmware-bridge/modbus/framer.ts";
import {
  dynamixelProtocol,
  feetechProtocol,
  ServoCodec,
  type ServoProtocol,
} from "../../firmware-bridge/servo-bus/servo-codec.ts";
import { ServoFramer } from "../../firmware-bridge/servo-bus/servo-framer.ts";
import { between, type FuzzTarget, hex, must, pick } from "./fuzz-target.ts";
import { mutate, pieces } from "./mutate.ts";

/** A servo's side of a protocol, written from its manual and not from the bridge. */
interface ServoSide {
  readonly name: string;
  readonly protocol: ServoProtocol;
  readonly status: (id: number, error: number, data: readonly number[]) => Buffer;
  /** Id and data of an intact status packet; undefined when it is none. */
  readonly read: (
    packet: Uint8Array,
  ) => { readonly id: number; readonly error: number; readonly data: number[] } | undefined;
}

/** CRC-16 of Protocol 2.0 bit by bit (polynomial 0x8005, start 0, not reflected; e-manual, CRC). */
function dynamixelCrcOf(bytes: Uint8Array): number {
  let crc = 0;
  for (const byte of bytes) {
    crc ^= byte << 8;
    for (let bit = 0; bit < 8; bit++) crc = (crc & 0x8000 ? (crc << 1) ^ 0x8005 : crc << 1) & 0xffff;
  }
  return crc;
}

const text = (bytes: readonly number[]) => Buffer.from(bytes).toString("latin1");

const DYNAMIXEL: ServoSide = {
  name: "dynamixel-framer",
  protocol: dynamixelProtocol,
  status(id, error, data) {
    const body = text([0x55, error, ...data]).replaceAll("\xff\xff\xfd", "\xff\xff\xfd\xfd");
    const stuffed = [...Buffer.from(body, "latin1")];
    const length = stuffed.length + 2;
    const packet = Buffer.from([0xff, 0xff, 0xfd, 0, id, length & 0xff, length >>> 8, ...stuffed]);
    const crc = dynamixelCrcOf(packet);
    return Buffer.concat([packet, Buffer.of(crc & 0xff, crc >>> 8)]);
  },
  read(packet) {
    const crc = dynamixelCrcOf(packet.subarray(0, -2));
    if (packet.at(-2) !== (crc & 0xff) || packet.at(-1) !== crc >>> 8) return undefined;
    const body = text([...packet.subarray(7, -2)]).replaceAll("\xff\xff\xfd\xfd", "\xff\xff\xfd");
    const [instruction, error = 0, ...data] = Buffer.from(body, "latin1");
    return instruction === 0x55 ? { id: packet[4] ?? 0, error, data } : undefined;
  },
};

const sumOf = (bytes: Uint8Array): number => ~bytes.reduce((sum, byte) => sum + byte, 0) & 0xff;

const FEETECH: ServoSide = {
  name: "feetech-framer",
  protocol: feetechProtocol,
  status(id, error, data) {
    const body = Buffer.from([id, data.length + 2, error, ...data]);
    return Buffer.concat([Buffer.of(0xff, 0xff), body, Buffer.of(sumOf(body))]);
  },
  read(packet) {
    if (packet.at(-1) !== sumOf(packet.subarray(2, -1))) return undefined;
    return { id: packet[2] ?? 0, error: packet[4] ?? 0, data: [...packet.subarray(5, -1)] };
  },
};

function randomServoRequest(random: Random): ModbusRequest {
  const address = between(random, 0, 200);
  const values = [...random.bytes(between(random, 1, 8))];
  return pick<ModbusRequest>(random, [
    { fn: "read", address, quantity: values.length },
    { fn: "write-many", address, values },
  ]);
}

type Reply = Extract<Finding, { type: "reply" }>;
const isReply = (finding: Finding): finding is Reply => finding.type === "reply";

/** Several requests in a row to one framer, each met by right, damaged, foreign and late packets. */
function servoTarget(side: ServoSide): FuzzTarget {
  const run = (random: Random): void => {
    const framer = new ServoFramer(side.protocol.shape);
    const codec = new ServoCodec(side.protocol);
    let late: Buffer = Buffer.alloc(0);
    for (let n = between(random, 1, 3); n > 0; n--) {
      const [unit, request] = [between(random, 1, 4), randomServoRequest(random)];
      let decoded: CodecReply | undefined;
      const adu = codec.begin(unit, request, (reply) => {
        decoded = reply;
      });
      const expected = codec.expected(unit, request);
      const { wire } = framer.begin(adu, expected);
      const answer = side.status(unit, 0, [...random.bytes(expected.length)]);
      const damaged = mutate(random, answer);
      const kind = between(random, 0, 5);
      const streams = [
        answer,
        damaged,
        Buffer.concat([wire, answer]),
        Buffer.concat([late, damaged]),
        mutate(random, Buffer.concat([wire, answer])),
        Buffer.from(random.bytes(between(random, 0, 200))),
      ];
      const bytes = streams[kind] ?? answer;
      const found = pieces(random, bytes).flatMap((piece) => [...framer.push(piece)]);
      const replies = found.filter(isReply);
      const facts = () => ({
        request,
        unit,
        wire: hex(wire),
        bytes: hex(bytes),
        found: replies.map((r) => hex(r.wire)),
      });
      must(replies.length <= 1, "two answers to one request", facts);
      must(
        (kind !== 0 && kind !== 2) || hex(replies[0]?.wire ?? new Uint8Array(0)) === hex(answer),
        "the right answer was not found",
        facts,
      );
      const [reply] = replies;
      if (reply) {
        const seen = side.read(reply.wire);
        must(seen !== undefined && seen.id === unit, "an answer with a wrong checksum or id", facts);
        codec.deliver(reply.adu);
        const wanted = request.fn === "read" ? (seen?.data ?? []).slice(0, request.quantity) : undefined;
        const got = decoded?.type === "registers" ? [...decoded.registers] : undefined;
        must(
          decoded?.type === "exception" || JSON.stringify(got) === JSON.stringify(wanted),
          "the codec reads something else",
          () => ({ ...facts(), decoded, wanted }),
        );
      } else codec.abandon();
      must(!framer.end().some(isReply), "an answer after the end", facts);
      late = answer;
    }
  };
  return { name: side.name, share: 1, run };
}

export const SERVO_TARGETS: readonly FuzzTarget[] = [servoTarget(DYNAMIXEL), servoTarget(FEETECH)];
