import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { ModbusRequest, UnitPart } from "../link/link.ts";
import type { CodecReply } from "../modbus/codec-reply.ts";
import type { Finding } from "../modbus/framer.ts";
import { dynamixelPacket } from "./dynamixel-packet.ts";
import { feetechPacket } from "./feetech-packet.ts";
import { dynamixelProtocol, feetechProtocol, ServoCodec, type ServoProtocol } from "./servo-codec.ts";
import { ServoFramer } from "./servo-framer.ts";

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");
const bytes = (text: string): Uint8Array => Buffer.from(text.replaceAll(" ", ""), "hex");
const part = (unit: number, address: number, quantity: number): UnitPart => ({ unit, address, quantity });
const readOf = (...parts: UnitPart[]): ModbusRequest => ({
  fn: "read",
  address: parts[0]?.address ?? 0,
  quantity: parts.reduce((sum, { quantity }) => sum + quantity, 0),
  parts,
});

function ask(protocol: ServoProtocol, request: ModbusRequest) {
  const framer = new ServoFramer(protocol.shape);
  const codec = new ServoCodec(protocol);
  const replies: CodecReply[] = [];
  const adu = codec.begin(1, request, (reply) => void replies.push(reply));
  const { wire } = framer.begin(adu, codec.expected(1, request));
  const feed = (chunk: Uint8Array): readonly Finding[] => {
    const findings = framer.push(chunk);
    for (const finding of findings) if (finding.type === "reply") codec.deliver(finding.adu);
    return findings;
  };
  return { wire, replies, feed, end: () => framer.end() };
}

describe("golden packets to several servos (Dynamixel e-manual, Protocol 2.0)", () => {
  test("sync read", () => {
    const { wire } = ask(dynamixelProtocol, readOf(part(1, 132, 4), part(2, 132, 4)));
    expect(hex(wire)).toBe(hex(bytes("FF FF FD 00 FE 09 00 82 84 00 04 00 01 02 CE FA")));
  });

  test("sync write", () => {
    const parts = [part(1, 116, 4), part(2, 116, 4)];
    const values = [0x96, 0, 0, 0, 0xaa, 0, 0, 0];
    const { wire } = ask(dynamixelProtocol, { fn: "write-many", address: 116, values, parts });
    expect(hex(wire)).toBe(hex(bytes("FF FF FD 00 FE 11 00 83 74 00 04 00 01 96 00 00 00 02 AA 00 00 00 82 87")));
  });

  test("bulk read, where the ranges differ", () => {
    const { wire } = ask(dynamixelProtocol, readOf(part(1, 144, 2), part(2, 146, 1)));
    expect(hex(wire)).toBe(hex(bytes("FF FF FD 00 FE 0D 00 92 01 90 00 02 00 02 92 00 01 00 1A 05")));
  });
});

test("a Feetech sync read and sync write carry address and count once", () => {
  expect(hex(ask(feetechProtocol, readOf(part(1, 56, 14), part(2, 56, 14))).wire)).toBe(
    hex(feetechPacket(0xfe, 0x82, [56, 14, 1, 2])),
  );
  const parts = [part(1, 41, 3), part(2, 41, 3)];
  const { wire } = ask(feetechProtocol, { fn: "write-many", address: 41, values: [1, 2, 3, 4, 5, 6], parts });
  expect(hex(wire)).toBe(hex(feetechPacket(0xfe, 0x83, [41, 3, 1, 1, 2, 3, 2, 4, 5, 6])));
});

describe.each([
  ["dynamixel", dynamixelProtocol],
  ["feetech", feetechProtocol],
] as const)("answers of several %s servos", (_, protocol) => {
  const answer = (unit: number, data: readonly number[]) =>
    protocol === dynamixelProtocol ? dynamixelPacket(unit, 0x55, [0, ...data]) : feetechPacket(unit, 0, data);
  const request = readOf(part(3, 56, 4), part(5, 56, 4), part(7, 56, 4));
  const nasty = fc.oneof(fc.integer({ min: 0, max: 255 }), fc.constantFrom(0xff, 0xfd, 0x00));
  const four = fc.array(nasty, { minLength: 4, maxLength: 4 });

  test("are dealt out in the order asked, in whatever pieces they come", () => {
    fc.assert(
      fc.property(fc.tuple(four, four, four), fc.integer({ min: 1, max: 40 }), fc.boolean(), (data, cut, echo) => {
        const read = ask(protocol, request);
        const [a, b, c] = data;
        const stream = Buffer.concat([echo ? read.wire : Buffer.alloc(0), answer(3, a), answer(5, b), answer(7, c)]);
        for (let at = 0; at < stream.length; at += cut) read.feed(stream.subarray(at, at + cut));
        expect(read.replies).toEqual([{ type: "registers", registers: [...a, ...b, ...c] }]);
      }),
      { numRuns: 200 },
    );
  });

  test.each([
    ["one is missing", [3, 7]],
    ["one comes twice", [3, 3, 5]],
    ["two come in the wrong order", [3, 7, 5]],
    ["a stranger answers", [3, 9, 7]],
  ])("make no value at all when %s", (_case, units) => {
    const read = ask(protocol, request);
    for (const unit of units) read.feed(answer(unit, [1, 2, 3, 4]));
    read.end();
    expect(read.replies).toEqual([]);
  });

  test("make no value when one of them is damaged or has another length", () => {
    const damaged = answer(5, [1, 2, 3, 4]);
    damaged[damaged.length - 1] = (damaged.at(-1) ?? 0) ^ 0x55;
    for (const second of [damaged, answer(5, [1, 2, 3])]) {
      const read = ask(protocol, request);
      for (const packet of [answer(3, [0, 0, 0, 0]), second, answer(7, [0, 0, 0, 0])]) read.feed(packet);
      read.end();
      expect(read.replies).toEqual([]);
    }
  });

  test("cost what the packets are long", () => {
    const { wire } = ask(protocol, request);
    expect(protocol.sizes.request(request)).toBe(wire.length);
    expect(protocol.sizes.reply(request)).toBe(3 * answer(3, [0, 0, 0, 0]).length);
  });
});
