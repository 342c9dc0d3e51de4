import type { ServoRequest, ServoWire } from "./servo-wire.ts";

const PREAMBLE = Buffer.from("fffffd00", "hex");
const LONGEST = 1024;

/** CRC-16 of Protocol 2.0, bit by bit: polynomial 0x8005, start 0, most significant bit first (e-manual, CRC). */
export function dynamixelChecksum(bytes: Uint8Array): number {
  let remainder = 0;
  for (const byte of bytes) {
    remainder ^= byte << 8;
    for (let bit = 0; bit < 8; bit++) {
      remainder <<= 1;
      if (remainder & 0x1_0000) remainder ^= 0x1_8005;
    }
  }
  return remainder;
}

/** A packet with everything around its content, FD inserted behind each FF FF FD of it. */
export function dynamixelFrame(id: number, content: Uint8Array): Buffer {
  const escaped = Buffer.from(
    Buffer.from(content).toString("latin1").replaceAll("\xff\xff\xfd", "\xff\xff\xfd\xfd"),
    "latin1",
  );
  const head = Buffer.concat([PREAMBLE, Buffer.of(id, 0, 0), escaped]);
  head.writeUInt16LE(escaped.length + 2, 5);
  const sum = Buffer.alloc(2);
  sum.writeUInt16LE(dynamixelChecksum(head));
  return Buffer.concat([head, sum]);
}

function contentOf(frame: Buffer): Buffer {
  const escaped = frame.subarray(7, -2).toString("latin1");
  return Buffer.from(escaped.replaceAll("\xff\xff\xfd\xfd", "\xff\xff\xfd"), "latin1");
}

/** Dynamixel Protocol 2.0 at the servo's end. */
export const dynamixelWire: ServoWire = {
  broadcast: 0xfe,
  addressBytes: 2,
  cut(buffer) {
    const start = buffer.indexOf(PREAMBLE);
    if (start < 0) return buffer.length > 3 ? { taken: buffer.length - 3 } : undefined;
    if (start > 0) return { taken: start };
    if (buffer.length < 7) return undefined;
    const length = buffer.readUInt16LE(5);
    if (length < 3 || length > LONGEST) return { taken: 4 };
    const end = 7 + length;
    if (buffer.length < end) return undefined;
    const frame = buffer.subarray(0, end);
    if (dynamixelChecksum(frame.subarray(0, -2)) !== frame.readUInt16LE(end - 2)) return { taken: 4 };
    const content = contentOf(frame);
    const request: ServoRequest = { id: frame[4] ?? 0, instruction: content[0] ?? 0, parameters: content.subarray(1) };
    return { taken: end, request };
  },
  status: (id, error, parameters) => dynamixelFrame(id, Buffer.concat([Buffer.of(0x55, error), parameters])),
};
