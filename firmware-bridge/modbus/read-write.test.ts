import { expect, test } from "vitest";
import { guard } from "../link/ghost-guard.ts";
import type { ReadWriteRequest } from "../link/link.ts";
import { withCrcOf } from "../link/testing/answers.ts";
import type { CodecReply } from "./codec-reply.ts";
import { assertRequest, expectedReply, replyBytes, requestBytes } from "./expected-reply.ts";
import { ModbusCodec } from "./modbus-codec.ts";
import { RtuFramer } from "./rtu-framer.ts";

// Modbus application protocol v1.1b3, 6.17: read 6 registers from 0003h, write three times 00FFh from 000Eh.
const EXAMPLE: ReadWriteRequest = {
  fn: "read-write",
  address: 3,
  quantity: 6,
  writeAddress: 14,
  values: [255, 255, 255],
};
const REQUEST = [0x17, 0, 3, 0, 6, 0, 14, 0, 3, 6, 0, 255, 0, 255, 0, 255];
const ANSWER = [0x17, 12, 0x00, 0xfe, 0x0a, 0xcd, 0, 1, 0, 3, 0, 13, 0, 255];

test("function 23 is sent and read as in the specification's example", () => {
  const codec = new ModbusCodec();
  const replies: CodecReply[] = [];
  const sent = codec.begin(1, EXAMPLE, (reply) => replies.push(reply));
  expect([...sent]).toEqual([...withCrcOf([1, ...REQUEST])]);
  expect(sent.length).toBe(requestBytes(EXAMPLE));
  const answer = withCrcOf([1, ...ANSWER]);
  expect(answer.length).toBe(replyBytes(EXAMPLE));
  codec.deliver(answer);
  expect(replies).toEqual([{ type: "registers", registers: [0xfe, 0x0acd, 1, 3, 13, 0xff] }]);
});

test("only an answer of the same unit, function and count is taken", () => {
  const framer = new RtuFramer();
  framer.begin(withCrcOf([1, ...REQUEST]), expectedReply(1, EXAMPLE));
  const others = [
    withCrcOf([2, ...ANSWER]),
    withCrcOf([1, 3, ...ANSWER.slice(1)]),
    withCrcOf([1, 0x17, 2, 0, 1]),
    withCrcOf([1, 0x90, 2]),
  ];
  for (const other of others) expect(framer.push(other).filter(({ type }) => type === "reply")).toEqual([]);
  expect(framer.push(withCrcOf([1, ...ANSWER])).filter(({ type }) => type === "reply")).toHaveLength(1);
});

test("a late answer of the same count is flushed out by a read, because the write may go only once", () => {
  expect(guard([EXAMPLE], { ...EXAMPLE, values: [1, 2, 3] }, false, true)).toMatchObject({
    ask: "flush",
    request: { fn: "read" },
  });
  expect(guard([EXAMPLE], { ...EXAMPLE, quantity: 5 }, false, true)).toEqual({ ask: "as-is" });
});

test("more than the protocol allows is a bug of the caller", () => {
  expect(() => assertRequest(1, { ...EXAMPLE, values: Array(121).fill(0) })).not.toThrow();
  expect(() => assertRequest(1, { ...EXAMPLE, values: Array(122).fill(0) })).toThrow();
  expect(() => assertRequest(1, { ...EXAMPLE, quantity: 126 })).toThrow();
});
