/**
 * CRC-16 of Modbus over serial line v1.02, 6.2.2 (polynomial 0xA001 reflected, start 0xFFFF).
 * Written bit by bit on purpose: the bridge has its own, and a shared mistake would hide.
 */
export function modbusCrc(bytes: Uint8Array): number {
  let crc = 0xffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0xa001 : crc >>> 1;
  }
  return crc;
}

/** The frame with its CRC behind it, low byte first. */
export function withCrc(body: Uint8Array): Buffer {
  const crc = modbusCrc(body);
  return Buffer.concat([body, Uint8Array.of(crc & 0xff, crc >>> 8)]);
}

/** True when the last two bytes are the CRC of those before them. */
export function crcFits(frame: Uint8Array): boolean {
  if (frame.length < 4) return false;
  const crc = modbusCrc(frame.subarray(0, -2));
  return frame.at(-2) === (crc & 0xff) && frame.at(-1) === crc >>> 8;
}
