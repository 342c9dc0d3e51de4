import { expect, test } from "vitest";
import type { ModbusRequest } from "../link/link.ts";
import type { CodecReply } from "./codec-reply.ts";
import { expectedReply, replyBytes, requestBytes } from "./expected-reply.ts";
import { MbapFramer } from "./mbap-framer.ts";
import { ModbusCodec } from "./modbus-codec.ts";

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex");
const bytesOf = (text: string) => Buffer.from(text.replaceAll(" ", ""), "hex");
const statusword: ModbusRequest = { fn: "read", address: 0x6041, quantity: 1, object: { subindex: 0, bytes: 2 } };
const position: ModbusRequest = { fn: "read", address: 0x6064, quantity: 2, object: { subindex: 0, bytes: 4 } };
const target: ModbusRequest = { fn: "write", address: 0x607a, value: -2 >>> 0, object: { subindex: 0, bytes: 4 } };

/** The request on the wire behind transaction id 0, and what the line makes of the drive's bytes. */
function exchange(request: ModbusRequest, answer: string) {
  const codec = new ModbusCodec();
  const framer = new MbapFramer(0xffff);
  let reply: CodecReply | undefined;
  const adu = codec.begin(0, request, (given) => {
    reply = given;
  });
  const { wire } = framer.begin(adu, expectedReply(0, request));
  const findings = framer.push(bytesOf(answer));
  for (const found of findings) if (found.type === "reply") codec.deliver(found.adu);
  return { wire: hex(wire), kinds: findings.map((found) => found.type), reply, adu };
}

test("reading the statusword is the maker's telegram, byte for byte (dryve D1 manual)", () => {
  const { wire, reply } = exchange(statusword, "00 00 00 00 00 0F 00 2B 0D 00 00 00 60 41 00 00 00 00 02 40 06");
  expect(wire).toBe(hex(bytesOf("00 00 00 00 00 0D 00 2B 0D 00 00 00 60 41 00 00 00 00 02")));
  expect(reply).toEqual({ type: "registers", registers: [0x0640] });
});

test("a write carries its value low byte first and is answered without data", () => {
  const { wire, reply } = exchange(target, "00 00 00 00 00 0D 00 2B 0D 01 00 00 60 7A 00 00 00 00 00");
  expect(wire).toBe(hex(bytesOf("00 00 00 00 00 11 00 2B 0D 01 00 00 60 7A 00 00 00 00 04 FE FF FF FF")));
  expect(reply).toEqual({ type: "written" });
});

test("a refusal is function AB with its code", () => {
  expect(exchange(target, "00 00 00 00 00 03 00 AB 03").reply).toEqual({ type: "exception", exceptionCode: 3 });
});

test("two bytes where four were asked for are no answer, and neither is another object's", () => {
  const short = exchange(position, "00 00 00 00 00 0F 00 2B 0D 00 00 00 60 64 00 00 00 00 02 10 27");
  const other = exchange(statusword, "00 00 00 00 00 0F 00 2B 0D 00 00 00 60 40 00 00 00 00 02 40 06");
  expect([short.kinds, short.reply]).toEqual([["stray"], undefined]);
  expect([other.kinds, other.reply]).toEqual([["stray"], undefined]);
});

test("a request that was given up settles nothing when its answer comes", () => {
  const codec = new ModbusCodec();
  let settled = 0;
  codec.begin(0, statusword, () => settled++);
  codec.abandon();
  codec.deliver(bytesOf("00 2B 0D 00 00 00 60 41 00 00 00 00 02 40 06 00 00"));
  expect(settled).toBe(0);
});

test.each([statusword, position, target])("the price of a telegram counts its real bytes", (request) => {
  const { adu } = exchange(request, "");
  expect(requestBytes(request)).toBe(adu.length);
  expect(replyBytes(request)).toBe(expectedReply(0, request).length);
});
