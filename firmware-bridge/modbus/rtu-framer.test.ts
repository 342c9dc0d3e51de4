import fc from "fast-check";
import { expect, test } from "vitest";
import { answerTo, crcOf, withCrcOf } from "../link/testing/answers.ts";
import { crc16, withCrc } from "./crc16.ts";
import { expectedReply } from "./expected-reply.ts";
import type { Finding } from "./framer.ts";
import { ModbusCodec } from "./modbus-codec.ts";
import { RtuFramer } from "./rtu-framer.ts";

const replies = (findings: readonly Finding[]) =>
  findings.flatMap((finding) => (finding.type === "reply" ? [Buffer.from(finding.adu)] : []));
const seen = (findings: readonly Finding[]) =>
  findings.reduce((sum, f) => sum + (f.type === "reply" || f.type === "stray" ? f.wire.length : 0), 0);

/** Cheap repeatable chance for the long run. */
function chance(seed: number) {
  let state = seed;
  return (below: number) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

test("the CRC is the specification's, and its frame checks to zero", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 256 }), (bytes) => {
      expect(crc16(bytes)).toBe(crcOf(bytes));
      expect(crc16(withCrc(bytes))).toBe(0);
    }),
  );
});

test("an answer is found in any noise before it, in any pieces, and nothing is lost from sight", () => {
  const noise = fc.uint8Array({ maxLength: 250 });
  fc.assert(
    fc.property(noise, fc.integer({ min: 1, max: 100 }), fc.integer({ min: 1, max: 40 }), (before, quantity, piece) => {
      const framer = new RtuFramer();
      const request = withCrcOf([7, 3, 0, 10, 0, quantity]);
      framer.begin(request, expectedReply(7, { fn: "read", address: 10, quantity }));
      const answer = answerTo(request);
      const all = Buffer.concat([before, answer]);
      const findings: Finding[] = [];
      for (let at = 0; at < all.length; at += piece) findings.push(...framer.push(all.subarray(at, at + piece)));
      expect(replies(findings)).toEqual([answer]);
      expect(seen([...findings, ...framer.end()])).toBe(all.length);
    }),
  );
});

test("a hundred thousand mutated frames: no crash, and never a frame that does not match", () => {
  const random = chance(20_261_121);
  const framer = new RtuFramer();
  let accepted = 0;
  for (let run = 0; run < 100_000; run++) {
    const unit = 1 + random(3);
    const quantity = 1 + random(4);
    const request =
      random(2) === 0
        ? ({ fn: "read", address: random(4), quantity } as const)
        : ({ fn: "write", address: random(4), value: random(4) } as const);
    const adu =
      request.fn === "read"
        ? [unit, 3, 0, request.address, 0, quantity]
        : [unit, 6, 0, request.address, 0, request.value];
    framer.begin(withCrcOf(adu), expectedReply(unit, request));
    const bytes = Buffer.from(answerTo(withCrcOf(adu)));
    const mutations = random(3);
    for (let i = 0; i < mutations; i++) bytes[random(bytes.length)] = random(256);
    const cut = random(8) === 0 ? bytes.subarray(0, random(bytes.length)) : bytes;
    for (const reply of replies([...framer.push(cut), ...framer.push(cut)])) {
      accepted++;
      const refusal = reply[1] === (0x80 | (request.fn === "read" ? 3 : 6));
      expect(crcOf(reply)).toBe(0);
      expect(reply[0]).toBe(unit);
      if (!refusal)
        expect(reply.subarray(0, 2 + (request.fn === "read" ? 1 : 4))).toEqual(
          answerTo(withCrcOf(adu)).subarray(0, 2 + (request.fn === "read" ? 1 : 4)),
        );
    }
  }
  expect(accepted).toBeGreaterThan(10_000);
});

test("whatever the framer passes, modbus-serial decodes to what an independent slave meant", () => {
  const codec = new ModbusCodec();
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 247 }),
      fc.integer({ min: 0, max: 60_000 }),
      fc.integer({ min: 1, max: 125 }),
      (unit, address, quantity) => {
        let registers: readonly number[] = [];
        const framer = new RtuFramer();
        const request = { fn: "read", address, quantity } as const;
        const adu = codec.begin(unit, request, (reply) => {
          if (reply.type === "registers") registers = reply.registers;
        });
        framer.begin(adu, expectedReply(unit, request));
        for (const reply of replies(framer.push(answerTo(adu)))) codec.deliver(reply);
        expect(registers).toEqual(Array.from({ length: quantity }, (_, i) => (address + i) & 0xffff));
      },
    ),
  );
});

test("an answer that comes after the request was given up reaches nobody", () => {
  const codec = new ModbusCodec();
  const got: string[] = [];
  const first = codec.begin(1, { fn: "read", address: 1, quantity: 1 }, () => got.push("first"));
  codec.abandon();
  codec.begin(1, { fn: "read", address: 2, quantity: 1 }, () => got.push("second"));
  codec.deliver(answerTo(withCrcOf([1, 3, 0, 2, 0, 1])));
  codec.deliver(answerTo(first));
  expect(got).toEqual(["second"]);
});

test("an adapter that hears itself is found out by a read, and its echo is not the answer to a write", () => {
  const framer = new RtuFramer();
  const read = withCrcOf([1, 3, 0, 2, 0, 1]);
  const write = withCrcOf([1, 6, 0, 2, 0, 1]);
  const writeExpected = expectedReply(1, { fn: "write", address: 2, value: 1 });
  framer.begin(read, expectedReply(1, { fn: "read", address: 2, quantity: 1 }));
  expect(replies(framer.push(Buffer.concat([read, answerTo(read)])))).toEqual([answerTo(read)]);
  framer.begin(write, writeExpected);
  expect(replies(framer.push(write))).toEqual([]);
  expect(replies(framer.push(answerTo(write)))).toEqual([answerTo(write)]);
  framer.begin(write, writeExpected);
  expect(replies(framer.push(write))).toEqual([]);
  expect(framer.end()).toEqual([]);
});

test("an adapter that hears itself is found out by a drive that stays silent too", () => {
  const framer = new RtuFramer();
  const read = withCrcOf([1, 3, 0, 2, 0, 1]);
  const write = withCrcOf([1, 6, 0, 2, 0, 1]);
  framer.begin(read, expectedReply(1, { fn: "read", address: 2, quantity: 1 }));
  framer.push(read);
  expect(framer.end()).toEqual([]);
  framer.begin(write, expectedReply(1, { fn: "write", address: 2, value: 1 }));
  expect(replies(framer.push(write))).toEqual([]);
});

test("a read that a Kinco refuses with function 81 is a refusal, and so it is to the codec", () => {
  const request = { fn: "read", address: 0x3200, quantity: 1 } as const;
  const codec = new ModbusCodec();
  const framer = new RtuFramer();
  const replies: unknown[] = [];
  framer.begin(
    codec.begin(1, request, (reply) => replies.push(reply)),
    expectedReply(1, request),
  );
  for (const found of framer.push(withCrc(Uint8Array.of(1, 0x81, 2))))
    if (found.type === "reply") codec.deliver(found.adu);
  expect(replies).toEqual([{ type: "exception", exceptionCode: 2 }]);
});
