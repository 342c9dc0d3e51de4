import type { Random } from "@servofleet/runtime/clock";
import { between } from "./fuzz-target.ts";

const CHANGES_MAX = 4;
const INSERTED_MAX = 12;
/** Values at which lengths, signs and headers turn over. */
const SHARP = [0x00, 0x01, 0x7f, 0x80, 0x83, 0xfd, 0xfe, 0xff] as const;

/** One to four changes: flipped bits, sharp values, bytes lost, doubled, moved or put in, and cut ends. Pure but for chance. */
export function mutate(random: Random, bytes: Uint8Array): Buffer {
  let changed = Buffer.from(bytes);
  for (let n = between(random, 1, CHANGES_MAX); n > 0; n--) changed = changeOnce(random, changed);
  return changed;
}

function changeOnce(random: Random, bytes: Buffer): Buffer<ArrayBuffer> {
  const at = between(random, 0, Math.max(0, bytes.length - 1));
  const until = between(random, at, bytes.length);
  const out = Buffer.from(bytes);
  switch (between(random, 0, 6)) {
    case 0:
      if (out.length > 0) out[at] = (out[at] ?? 0) ^ (1 << between(random, 0, 7));
      return out;
    case 1:
      if (out.length > 0) out[at] = SHARP[between(random, 0, SHARP.length - 1)] ?? 0;
      return out;
    case 2:
      return Buffer.concat([out.subarray(0, at), out.subarray(until)]);
    case 3:
      return Buffer.concat([out.subarray(0, until), out.subarray(at)]);
    case 4:
      return Buffer.concat([out.subarray(0, at), random.bytes(between(random, 1, INSERTED_MAX)), out.subarray(at)]);
    case 5:
      return Buffer.concat([out.subarray(until), out.subarray(at, until), out.subarray(0, at)]);
    default:
      return Buffer.from(out.subarray(0, at));
  }
}

/** The bytes in one to five pieces, as a busy reader gets them. */
export function pieces(random: Random, bytes: Uint8Array): Uint8Array[] {
  const cuts = Array.from({ length: between(random, 0, 4) }, () => between(random, 0, bytes.length)).sort(
    (a, b) => a - b,
  );
  const edges = [0, ...cuts, bytes.length];
  return edges.slice(1).map((edge, n) => bytes.subarray(edges[n] ?? 0, edge));
}
