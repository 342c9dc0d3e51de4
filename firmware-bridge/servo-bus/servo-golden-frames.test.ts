import { expect, test } from "vitest";
import type { ModbusRequest } from "../link/link.ts";
import type { CodecReply } from "../modbus/codec-reply.ts";
import { dynamixelPacket } from "./dynamixel-packet.ts";
import { feetechPacket } from "./feetech-packet.ts";
import { dynamixelProtocol, ServoCodec } from "./servo-codec.ts";
import { ServoFramer } from "./servo-framer.ts";

const bytesOf = (text: string) => Buffer.from(text.replaceAll(" ", ""), "hex");
const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex");

/** What the bus makes of a servo's printed answer. */
function understood(request: ModbusRequest, answer: string): readonly CodecReply[] {
  const framer = new ServoFramer(dynamixelProtocol.shape);
  const codec = new ServoCodec(dynamixelProtocol);
  const replies: CodecReply[] = [];
  framer.begin(
    codec.begin(1, request, (reply) => void replies.push(reply)),
    codec.expected(1, request),
  );
  for (const found of framer.push(bytesOf(answer))) if (found.type === "reply") codec.deliver(found.adu);
  return replies;
}

test("C-DX-6, C-FT-1: action, reboot and ping are built as printed", () => {
  expect(hex(dynamixelPacket(1, 0x05, []))).toBe(hex(bytesOf("FF FF FD 00 01 03 00 05 02 CE")));
  expect(hex(dynamixelPacket(1, 0x08, []))).toBe(hex(bytesOf("FF FF FD 00 01 03 00 08 2F 4E")));
  expect(hex(feetechPacket(1, 0x01, []))).toBe(hex(bytesOf("FF FF 01 02 01 FB")));
});

test("C-DX-1: a ping's answer carries model 1030 and firmware 38 behind its error byte", () => {
  const answer = bytesOf("FF FF FD 00 01 07 00 55 00 06 04 26 65 5D");
  expect(hex(dynamixelPacket(1, 0x55, [0, 0x06, 0x04, 0x26]))).toBe(hex(answer));
  const replies = understood({ fn: "read", address: 0, quantity: 3 }, answer.toString("hex"));
  expect(replies).toEqual([{ type: "registers", registers: [0x06, 0x04, 0x26] }]);
});
