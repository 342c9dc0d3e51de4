import type { Random } from "@servofleet/runtime/clock";
import type { LineFaults } from "../../firmware-bridge/link/testing/virtual-line.ts";

/** Bits turned over in one frame: as many as CRC-16 finds for certain at these lengths. */
const FLIPS_MAX = 3;

/** What befalls one request and its answer. */
export interface ExchangeFault {
  readonly requestLost: boolean;
  readonly answerLost: boolean;
  readonly requestFlipped: boolean;
  readonly answerFlipped: boolean;
  readonly twice: boolean;
  readonly late: boolean;
}

/** Rolls the faults of one exchange; half of losses and flips meet the request, half the answer. Pure but for chance. */
export function exchangeFault(random: Random, { loss, flips, duplicates, late }: LineFaults): ExchangeFault {
  return {
    requestLost: random.next() < loss / 2,
    answerLost: random.next() < loss / 2,
    requestFlipped: random.next() < flips / 2,
    answerFlipped: random.next() < flips / 2,
    twice: random.next() < duplicates,
    late: random.next() < late,
  };
}

/** One to three different bits turned over. */
export function flipped(random: Random, bytes: Uint8Array): Buffer {
  const out = Buffer.from(bytes);
  const bits = new Set<number>();
  for (let n = 1 + Math.floor(random.next() * FLIPS_MAX); n > 0; n--)
    bits.add(Math.floor(random.next() * bytes.length * 8));
  for (const bit of bits) out[bit >> 3] = (out[bit >> 3] ?? 0) ^ (1 << (bit & 7));
  return out;
}
