import { crc16 } from "./crc16.ts";

/** Length of an answer frame by its own header, 0 when it does not look like one of ours. */
function answerLength(bytes: Uint8Array, at: number): number {
  const code = bytes[at + 1] ?? 0;
  if (code & 0x80) return 5;
  if (code === 3 || code === 4 || code === 23) return 5 + (bytes[at + 2] ?? 0);
  return code === 5 || code === 6 || code === 15 || code === 16 ? 8 : 0;
}

/** Sorts unexpected bytes into whole answers with a good CRC (their units) and noise. Pure. */
export function strayFrames(bytes: Uint8Array): { units: number[]; noiseBytes: number } {
  const units: number[] = [];
  let noiseBytes = 0;
  for (let at = 0; at < bytes.length; ) {
    const length = answerLength(bytes, at);
    if (length >= 5 && at + length <= bytes.length && crc16(bytes, at, at + length) === 0) {
      units.push(bytes[at] ?? 0);
      at += length;
    } else {
      noiseBytes++;
      at++;
    }
  }
  return { units, noiseBytes };
}
