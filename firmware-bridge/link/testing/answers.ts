/** CRC bit by bit, as the specification writes it: not the table of the code under test. */
export function crcOf(bytes: Uint8Array): number {
  let crc = 0xffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >> 1) ^ 0xa001 : crc >> 1;
  }
  return crc;
}

export function withCrcOf(bytes: readonly number[]): Buffer {
  const crc = crcOf(Uint8Array.from(bytes));
  return Buffer.from([...bytes, crc & 0xff, crc >> 8]);
}

/** PDU of the right answer where every register holds its own address. */
export function answerPdu(pdu: Uint8Array): number[] {
  const [fn = 0, high = 0, low = 0, countHigh = 0, countLow = 0] = pdu;
  if (fn !== 3 && fn !== 4) return [...pdu.subarray(0, 5)];
  const address = (high << 8) | low;
  const count = (countHigh << 8) | countLow;
  const values = Array.from({ length: count }, (_, i) => (address + i) & 0xffff);
  return [fn, 2 * count, ...values.flatMap((value) => [value >> 8, value & 0xff])];
}

/** The right answer to an RTU request. */
export const answerTo = (request: Uint8Array): Buffer =>
  withCrcOf([request[0] ?? 0, ...answerPdu(request.subarray(1, request.length - 2))]);

/** An RTU exception to a request. */
export const exceptionTo = (request: Uint8Array, code: number): Buffer =>
  withCrcOf([request[0] ?? 0, (request[1] ?? 0) | 0x80, code]);
