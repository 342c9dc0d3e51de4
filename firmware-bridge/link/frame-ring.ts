import { type Frame, rfc3339 } from "@servofleet/contracts";
import { FRAME_RING_MAX } from "./link.ts";

export type LineFrame = Frame & { readonly unit: number | null };

interface Seen {
  readonly direction: "tx" | "rx";
  readonly atUs: number;
  readonly bytes: Uint8Array;
  readonly unit: number | null;
}

/** A frame whose text is made when somebody reads or sends it: most belong to polls and are never looked at. */
export const frameOf = (direction: "tx" | "rx", atUs: number, bytes: Uint8Array): Frame => ({
  direction,
  get at() {
    return rfc3339(atUs);
  },
  get hex() {
    return hexOf(bytes);
  },
});

const hexOf = (bytes: Uint8Array): string =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("hex");

class SeenFrame implements LineFrame {
  readonly #seen: Seen;

  constructor(seen: Seen) {
    this.#seen = seen;
  }

  get direction(): "tx" | "rx" {
    return this.#seen.direction;
  }

  get unit(): number | null {
    return this.#seen.unit;
  }

  get at(): string {
    return rfc3339(this.#seen.atUs);
  }

  get hex(): string {
    return hexOf(this.#seen.bytes);
  }
}

/** Bytes kept of one line: 2048 frames of 64 bytes, fewer of longer ones. */
const RING_BYTES = 128 * 1024;
const NO_UNIT = -1;

/**
 * The last frames of a line, in arrays made once: an object per frame would live just long enough to grow old, and a busy
 * line makes thousands a second.
 */
export class FrameRing {
  readonly #bytes = new Uint8Array(RING_BYTES);
  readonly #atUs = new Float64Array(FRAME_RING_MAX);
  /** Counted from the first byte ever, gaps at the end of the array included. */
  readonly #from = new Float64Array(FRAME_RING_MAX);
  readonly #length = new Uint32Array(FRAME_RING_MAX);
  readonly #unit = new Int32Array(FRAME_RING_MAX);
  readonly #sent = new Uint8Array(FRAME_RING_MAX);
  #added = 0;
  #end = 0;

  add({ direction, atUs, bytes, unit }: Seen): void {
    const kept = bytes.subarray(0, RING_BYTES);
    const left = RING_BYTES - (this.#end % RING_BYTES);
    // A frame lies in one piece.
    if (left < kept.length) this.#end += left;
    const at = this.#added % FRAME_RING_MAX;
    this.#bytes.set(kept, this.#end % RING_BYTES);
    this.#atUs[at] = atUs;
    this.#from[at] = this.#end;
    this.#length[at] = kept.length;
    this.#unit[at] = unit ?? NO_UNIT;
    this.#sent[at] = direction === "tx" ? 1 : 0;
    this.#end += kept.length;
    this.#added += 1;
  }

  /** Newest last. The text of each is made when it is read: a whole ring at once would hold the line's process up for milliseconds. */
  frames(): LineFrame[] {
    const bytes = this.#bytes.slice();
    const frames: LineFrame[] = [];
    for (let n = Math.max(0, this.#added - FRAME_RING_MAX); n < this.#added; n++) {
      const at = n % FRAME_RING_MAX;
      const from = this.#from[at] ?? 0;
      // Newer bytes lie in its place.
      if (from < this.#end - RING_BYTES) continue;
      const start = from % RING_BYTES;
      const unit = this.#unit[at] ?? NO_UNIT;
      frames.push(
        new SeenFrame({
          direction: this.#sent[at] === 1 ? "tx" : "rx",
          atUs: this.#atUs[at] ?? 0,
          bytes: bytes.subarray(start, start + (this.#length[at] ?? 0)),
          unit: unit === NO_UNIT ? null : unit,
        }),
      );
    }
    return frames;
  }
}
