import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { ModbusRequest } from "../link/link.ts";
import type { CodecReply } from "../modbus/codec-reply.ts";
import type { Finding } from "../modbus/framer.ts";
import { dynamixelPacket } from "./dynamixel-packet.ts";
import { feetechPacket } from "./feetech-packet.ts";
import { dynamixelProtocol, feetechProtocol, ServoCodec, type ServoProtocol } from "./servo-codec.ts";
import { ServoFramer } from "./servo-framer.ts";

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");
const bytes = (text: string): Uint8Array => Buffer.from(text.replaceAll(" ", ""), "hex");

/** One request on a bus of its own; what comes back is the framer's and the codec's. */
function ask(protocol: ServoProtocol, unit: number, request: ModbusRequest) {
  const framer = new ServoFramer(protocol.shape);
  const codec = new ServoCodec(protocol);
  const replies: CodecReply[] = [];
  const adu = codec.begin(unit, request, (reply) => void replies.push(reply));
  const { wire } = framer.begin(adu, codec.expected(unit, request));
  const feed = (chunk: Uint8Array): readonly Finding[] => {
    const findings = framer.push(chunk);
    for (const finding of findings) if (finding.type === "reply") codec.deliver(finding.adu);
    return findings;
  };
  return { wire, replies, feed, end: () => framer.end() };
}

describe("golden packets of Dynamixel Protocol 2.0 (e-manual)", () => {
  test("read and write as the e-manual prints them", () => {
    const read = ask(dynamixelProtocol, 1, { fn: "read", address: 132, quantity: 4 });
    expect(hex(read.wire)).toBe(hex(bytes("FF FF FD 00 01 07 00 02 84 00 04 00 1D 15")));
    read.feed(bytes("FF FF FD 00 01 08 00 55 00 A6 00 00 00 8C C0"));
    expect(read.replies).toEqual([{ type: "registers", registers: [0xa6, 0, 0, 0] }]);
    const write = ask(dynamixelProtocol, 1, { fn: "write-many", address: 116, values: [0, 2, 0, 0] });
    expect(hex(write.wire)).toBe(hex(bytes("FF FF FD 00 01 09 00 03 74 00 00 02 00 00 CA 89")));
    write.feed(bytes("FF FF FD 00 01 04 00 55 00 A1 0C"));
    expect(write.replies).toEqual([{ type: "written" }]);
  });

  test("ping, sync read, sync write, reboot", () => {
    expect(hex(dynamixelPacket(1, 0x01, []))).toBe("fffffd0001030001194e");
    expect(hex(dynamixelPacket(0xfe, 0x82, [0x84, 0, 4, 0, 1, 2]))).toBe("fffffd00fe090082840004000102cefa");
    expect(hex(dynamixelPacket(0xfe, 0x83, [0x74, 0, 4, 0, 1, 0x96, 0, 0, 0, 2, 0xaa, 0, 0, 0]))).toBe(
      hex(bytes("FF FF FD 00 FE 11 00 83 74 00 04 00 01 96 00 00 00 02 AA 00 00 00 82 87")),
    );
    const reboot = ask(dynamixelProtocol, 1, { fn: "write-many", address: 0xff08, values: [0] });
    expect(hex(reboot.wire)).toBe(hex(bytes("FF FF FD 00 01 03 00 08 2F 4E")));
    const watchdog = ask(dynamixelProtocol, 1, { fn: "write-many", address: 98, values: [10] });
    expect(hex(watchdog.wire)).toBe(hex(bytes("FF FF FD 00 01 06 00 03 62 00 0A 4A E4")));
  });

  test.each([
    ["55 07 B0 8C", { type: "exception", exceptionCode: 7 }],
    ["55 04 BA 8C", { type: "exception", exceptionCode: 4 }],
    ["55 06 B5 0C", { type: "exception", exceptionCode: 6 }],
    ["55 80 A2 8F", { type: "written" }],
  ])("status %s: a refusal has a code, the alert bit is none", (tail, reply) => {
    const write = ask(dynamixelProtocol, 1, { fn: "write-many", address: 116, values: [0, 2, 0, 0] });
    write.feed(bytes(`FF FF FD 00 01 04 00 ${tail}`));
    expect(write.replies).toEqual([reply]);
  });
});

test("golden packets of Feetech", () => {
  expect(hex(feetechPacket(1, 0x01, []))).toBe("ffff010201fb");
  expect(hex(feetechPacket(1, 0x02, [56, 2]))).toBe("ffff0104023802be");
  const goal = ask(feetechProtocol, 1, { fn: "write-many", address: 42, values: [0, 8, 0, 0, 0xe8, 3] });
  expect(hex(goal.wire)).toBe("ffff0109032a00080000e803d5");
  goal.feed(bytes("FF FF 01 02 00 FC"));
  expect(goal.replies).toEqual([{ type: "written" }]);
  const withRamp = ask(feetechProtocol, 1, { fn: "write-many", address: 41, values: [0x32, 0, 8, 0, 0, 0xe8, 3] });
  expect(hex(withRamp.wire)).toBe("ffff010a03293200080000e803a3");
});

describe.each([
  ["dynamixel", dynamixelProtocol],
  ["feetech", feetechProtocol],
] as const)("the %s framer", (_, protocol) => {
  const answer = (unit: number, data: readonly number[]) =>
    protocol === dynamixelProtocol ? dynamixelPacket(unit, 0x55, [0, ...data]) : feetechPacket(unit, 0, data);
  const anyByte = fc.integer({ min: 0, max: 255 });
  // Header bytes are frequent, so that stuffing and false headers are met.
  const nastyByte = fc.oneof(anyByte, fc.constantFrom(0xff, 0xfd, 0x00));

  test("finds the answer in whatever pieces it comes, behind its own echo", () => {
    fc.assert(
      fc.property(
        fc.array(nastyByte, { minLength: 3, maxLength: 40 }),
        fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 80 }),
        fc.boolean(),
        (data, cuts, echo) => {
          const read = ask(protocol, 3, { fn: "read", address: 10, quantity: data.length });
          const stream = Buffer.concat([echo ? read.wire : Buffer.alloc(0), answer(3, data)]);
          for (let at = 0, n = 0; at < stream.length; n++) {
            const count = cuts[n % cuts.length] ?? 1;
            read.feed(stream.subarray(at, at + count));
            at += count;
          }
          expect(read.replies).toEqual([{ type: "registers", registers: data }]);
        },
      ),
      { numRuns: 300 },
    );
  });

  test("never takes another unit's answer, another length, or an older one of another length", () => {
    const read = ask(protocol, 3, { fn: "read", address: 10, quantity: 4 });
    const findings = [answer(4, [1, 2, 3, 4]), answer(3, [1, 2, 3]), answer(3, [])].flatMap((one) => read.feed(one));
    expect(read.replies).toEqual([]);
    expect(findings.map(({ type }) => type)).toEqual(["stray", "stray", "stray"]);
  });

  test("a damaged answer is never a value: one flipped bit anywhere", () => {
    const data = [1, 0xff, 0xff, 0xfd, 5];
    const whole = answer(3, data);
    for (let bit = 0; bit < 8 * whole.length; bit++) {
      const flipped = Uint8Array.from(whole);
      flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      const read = ask(protocol, 3, { fn: "read", address: 10, quantity: data.length });
      read.feed(flipped);
      read.end();
      expect(read.replies).toEqual([]);
    }
  });

  test("noise of any kind makes no value, no crash and no endless buffer", () => {
    fc.assert(
      fc.property(fc.array(fc.array(nastyByte, { maxLength: 60 }), { maxLength: 40 }), (chunks) => {
        const read = ask(protocol, 3, { fn: "read", address: 10, quantity: 23 });
        for (const chunk of chunks) read.feed(Uint8Array.from(chunk));
        read.end();
        expect(read.replies).toEqual([]);
      }),
      { numRuns: 500 },
    );
  });
});
