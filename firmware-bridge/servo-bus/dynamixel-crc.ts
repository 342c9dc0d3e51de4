/** CRC-16 of Dynamixel Protocol 2.0 by table (polynomial 0x8005, start 0, not reflected; e-manual, Protocol 2.0, CRC). */
const TABLE = Uint16Array.from({ length: 256 }, (_, byte) => {
  let crc = byte << 8;
  for (let bit = 0; bit < 8; bit++) crc = crc & 0x8000 ? ((crc << 1) ^ 0x8005) & 0xffff : (crc << 1) & 0xffff;
  return crc;
});

/** CRC of `bytes[from..to)`, taken over the whole packet with its header and after stuffing. */
export function dynamixelCrc(bytes: Uint8Array, from = 0, to = bytes.length): number {
  let crc = 0;
  for (let i = from; i < to; i++) crc = ((crc << 8) & 0xffff) ^ (TABLE[((crc >>> 8) ^ (bytes[i] ?? 0)) & 0xff] ?? 0);
  return crc;
}
