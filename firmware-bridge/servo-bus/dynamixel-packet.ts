import { dynamixelCrc } from "./dynamixel-crc.ts";
import type { PacketShape, StatusPacket } from "./packet-shape.ts";

/** Instructions of Protocol 2.0 (e-manual, Protocol 2.0, Instruction). */
export const DYNAMIXEL = {
  read: 0x02,
  write: 0x03,
  status: 0x55,
  syncRead: 0x82,
  syncWrite: 0x83,
  bulkRead: 0x92,
} as const;
const HEADER = [0xff, 0xff, 0xfd, 0x00] as const;
/** Header, id, length. */
const HEAD_BYTES = 7;
/** Longer packets than this are noise: a read of a whole control table is shorter. */
const LENGTH_MAX = 512;
/** Low bits of the error byte (e-manual, Protocol 2.0, Error): the request arrived damaged. */
const ERROR_CRC = 3;
const ALERT = 0x80;

/** An instruction packet with stuffing and CRC. */
export function dynamixelPacket(id: number, instruction: number, parameters: readonly number[]): Uint8Array {
  const body = stuffed([instruction, ...parameters]);
  const length = body.length + 2;
  const packet = Uint8Array.from([...HEADER, id, length & 0xff, length >>> 8, ...body, 0, 0]);
  const crc = dynamixelCrc(packet, 0, packet.length - 2);
  packet[packet.length - 2] = crc & 0xff;
  packet[packet.length - 1] = crc >>> 8;
  return packet;
}

/** After FF FF FD one FD goes in, so that no header can stand inside a packet (e-manual, Protocol 2.0, byte stuffing). */
function stuffed(body: readonly number[]): number[] {
  const out: number[] = [];
  for (const byte of body) {
    out.push(byte);
    if (byte === 0xfd && out.at(-2) === 0xff && out.at(-3) === 0xff) out.push(0xfd);
  }
  return out;
}

function unstuffed(body: Uint8Array): Uint8Array {
  const out: number[] = [];
  for (let at = 0; at < body.length; at++) {
    out.push(body[at] ?? 0);
    const isHeader = body[at] === 0xfd && body[at - 1] === 0xff && body[at - 2] === 0xff;
    if (isHeader && body[at + 1] === 0xfd) at++;
  }
  return Uint8Array.from(out);
}

export const dynamixelShape: PacketShape = {
  lengthAt(bytes, at) {
    for (let i = 0; i < HEADER.length; i++) {
      if (at + i >= bytes.length) return undefined;
      if (bytes[at + i] !== HEADER[i]) return 0;
    }
    if (at + HEAD_BYTES > bytes.length) return undefined;
    const length = (bytes[at + 5] ?? 0) | ((bytes[at + 6] ?? 0) << 8);
    return length < 3 || length > LENGTH_MAX ? 0 : HEAD_BYTES + length;
  },
  isIntact(packet) {
    const end = packet.length - 2;
    return dynamixelCrc(packet, 0, end) === ((packet[end] ?? 0) | ((packet[end + 1] ?? 0) << 8));
  },
  status(packet): StatusPacket | undefined {
    const body = unstuffed(packet.subarray(HEAD_BYTES, packet.length - 2));
    if (body[0] !== DYNAMIXEL.status || body.length < 2) return undefined;
    return { unit: packet[4] ?? 0, error: body[1] ?? 0, data: body.subarray(2) };
  },
  verdict({ error }) {
    // Bit 7 only says that register 70 is not 0: the request was carried out (e-manual, Protocol 2.0, Error).
    const result = error & ~ALERT;
    return result === 0 ? "answer" : result === ERROR_CRC ? "damaged" : "refusal";
  },
};
