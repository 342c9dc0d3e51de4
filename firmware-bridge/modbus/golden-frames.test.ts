import { expect, test } from "vitest";
import type { ModbusRequest } from "../link/link.ts";
import type { CodecReply } from "./codec-reply.ts";
import { expectedReply } from "./expected-reply.ts";
import { ModbusCodec } from "./modbus-codec.ts";
import { RtuFramer } from "./rtu-framer.ts";

interface Golden {
  readonly id: string;
  readonly unit: number;
  readonly request: ModbusRequest;
  readonly wire: string;
  readonly answer: string;
  readonly reply: CodecReply;
}

const WRITTEN: CodecReply = { type: "written" };
const write = (id: string, address: number, value: number, wire: string): Golden => ({
  id,
  unit: 1,
  request: { fn: "write", address, value },
  wire,
  answer: wire,
  reply: WRITTEN,
});

// Frames of the iCL-RS, ELD2-RS, MR-JE-C, Kinco FD5P manuals and of the public AZ map, with the drives' answers.
const frames: readonly Golden[] = [
  write("C-LE-1", 0x6200, 1, "01 06 62 00 00 01 57 B2"),
  write("C-LE-2 high", 0x6201, 3, "01 06 62 01 00 03 87 B3"),
  write("C-LE-2 low", 0x6202, 0x0d40, "01 06 62 02 0D 40 32 D2"),
  write("C-LE-3", 0x6203, 600, "01 06 62 03 02 58 66 E8"),
  write("C-LE-4 run", 0x6002, 0x10, "01 06 60 02 00 10 37 C6"),
  write("C-LE-4 stop", 0x6002, 0x40, "01 06 60 02 00 40 37 FA"),
  write("C-LE-5 high", 0x6209, 0xfffc, "01 06 62 09 FF FC 07 C1"),
  write("C-LE-5 low", 0x620a, 0xf2c0, "01 06 62 0A F2 C0 F3 40"),
  write("C-LE-6", 0x6002, 0x20, "01 06 60 02 00 20 37 D2"),
  {
    id: "C-LE-7",
    unit: 1,
    request: { fn: "read", address: 1, quantity: 1 },
    wire: "01 03 00 01 00 01 D5 CA",
    answer: "01 83 08 40 F6",
    reply: { type: "exception", exceptionCode: 8 },
  },
  {
    id: "C-LE-9",
    unit: 7,
    request: { fn: "write-many", address: 0x6200, values: [1, 0, 0x2710, 0, 0x2710, 0x2710, 0, 0x10] },
    wire: "07 10 62 00 00 08 10 00 01 00 00 27 10 00 00 27 10 27 10 00 00 00 10 8D 50",
    answer: "07 10 62 00 00 08 DE 11",
    reply: WRITTEN,
  },
  {
    id: "C-LE-10",
    unit: 0x11,
    request: { fn: "write-many", address: 0x6200, values: [1, 1, 0x86a0, 500, 100, 100, 0, 0x10] },
    wire: "11 10 62 00 00 08 10 00 01 00 01 86 A0 01 F4 00 64 00 64 00 00 00 10 67 B3",
    answer: "11 10 62 00 00 08 DC E7",
    reply: WRITTEN,
  },
  {
    id: "C-MR-1",
    unit: 1,
    request: { fn: "write-many", address: 0x6040, values: [0x0f] },
    wire: "01 10 60 40 00 01 02 00 0F 88 92",
    answer: "01 10 60 40 00 01 1E 1D",
    reply: WRITTEN,
  },
  {
    id: "C-MR-2",
    unit: 1,
    request: { fn: "read", address: 0x6041, quantity: 1 },
    wire: "01 03 60 41 00 01 CA 1E",
    answer: "01 03 02 02 50 B9 18",
    reply: { type: "registers", registers: [0x0250] },
  },
  write("C-KI-1", 0x3100, 0x0f, "01 06 31 00 00 0F C7 32"),
  {
    id: "C-KI-2",
    unit: 1,
    request: { fn: "read", address: 0x3200, quantity: 2 },
    wire: "01 03 32 00 00 02 CA B3",
    answer: "01 03 04 42 50 00 00 EE 5A",
    reply: { type: "registers", registers: [0x4250, 0] },
  },
  {
    id: "C-KI-3",
    unit: 1,
    request: { fn: "write-many", address: 0x6f00, values: [0x4e82, 0x001b] },
    wire: "01 10 6F 00 00 02 04 4E 82 00 1B ED 56",
    answer: "01 10 6F 00 00 02 5C DC",
    reply: WRITTEN,
  },
  {
    id: "C-AZ-1",
    unit: 1,
    request: {
      fn: "write-many",
      address: 0x58,
      values: [0, 0, 0, 2, 0, 8500, 0, 2000, 0, 1500, 0, 1500, 0, 1000, 0, 1],
    },
    wire: "01 10 00 58 00 10 20 00 00 00 00 00 00 00 02 00 00 21 34 00 00 07 D0 00 00 05 DC 00 00 05 DC 00 00 03 E8 00 00 00 01 1C 08",
    answer: "01 10 00 58 00 10 40 16",
    reply: WRITTEN,
  },
  write("C-AZ-2 STOP", 0x7d, 0x20, "01 06 00 7D 00 20 18 0A"),
  write("C-AZ-2 clear", 0x7d, 0, "01 06 00 7D 00 00 19 D2"),
  write("C-AZ-2 ALM-RST", 0x7d, 0x80, "01 06 00 7D 00 80 18 72"),
];

const bytesOf = (text: string) => Buffer.from(text.replaceAll(" ", ""), "hex");
const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex");

test.each(frames)("golden frame $id: the request to the byte, and its answer understood", (golden) => {
  const codec = new ModbusCodec();
  const framer = new RtuFramer();
  const replies: CodecReply[] = [];
  const adu = codec.begin(golden.unit, golden.request, (reply) => void replies.push(reply));
  const { wire } = framer.begin(adu, expectedReply(golden.unit, golden.request));
  expect(hex(wire)).toBe(hex(bytesOf(golden.wire)));
  for (const found of framer.push(bytesOf(golden.answer))) if (found.type === "reply") codec.deliver(found.adu);
  for (const found of framer.end()) if (found.type === "reply") codec.deliver(found.adu);
  expect(replies).toEqual([golden.reply]);
});

test("C-LE-8: a function that the drive does not know is refused with code 1, and answers no other function", () => {
  const framer = new RtuFramer();
  const request: ModbusRequest = { fn: "read", address: 1, quantity: 1 };
  framer.begin(
    new ModbusCodec().begin(1, request, () => undefined),
    expectedReply(1, request),
  );
  const found = [...framer.push(bytesOf("01 82 01 81 60")), ...framer.end()];
  expect(found.map(({ type }) => type)).not.toContain("reply");
});
