import type { PacketShape, StatusPacket } from "./packet-shape.ts";

/** Instructions of the SCS protocol (FTServo_Python, protocol constants). */
export const FEETECH = { read: 0x02, write: 0x03, syncRead: 0x82, syncWrite: 0x83 } as const;

/** Header, id, length. */
const HEAD_BYTES = 4;
/** A read of more than the whole memory table is noise. */
const LENGTH_MAX = 250;

/** An instruction packet with its checksum: the inverted sum of everything from the id on. */
export function feetechPacket(id: number, instruction: number, parameters: readonly number[]): Uint8Array {
  const packet = Uint8Array.from([0xff, 0xff, id, parameters.length + 2, instruction, ...parameters, 0]);
  packet[packet.length - 1] = checksum(packet);
  return packet;
}

function checksum(packet: Uint8Array): number {
  let sum = 0;
  for (let i = 2; i < packet.length - 1; i++) sum += packet[i] ?? 0;
  return ~sum & 0xff;
}

export const feetechShape: PacketShape = {
  lengthAt(bytes, at) {
    if (at >= bytes.length) return undefined;
    if (bytes[at] !== 0xff) return 0;
    if (at + 1 >= bytes.length) return undefined;
    if (bytes[at + 1] !== 0xff) return 0;
    if (at + HEAD_BYTES > bytes.length) return undefined;
    // Ids end at 252, so a third FF only means that the header begins later.
    if (bytes[at + 2] === 0xff) return 0;
    const length = bytes[at + 3] ?? 0;
    return length < 2 || length > LENGTH_MAX ? 0 : HEAD_BYTES + length;
  },
  isIntact: (packet) => packet.at(-1) === checksum(packet),
  status: (packet): StatusPacket => ({
    unit: packet[2] ?? 0,
    error: packet[4] ?? 0,
    data: packet.subarray(HEAD_BYTES + 1, packet.length - 1),
  }),
  // The error byte is the status register 65 (voltage, angle, heat, current, load): a servo has no way to refuse.
  verdict: () => "answer",
};
