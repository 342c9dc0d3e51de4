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

/** The last frames of a line. Text is made only when somebody looks. */
export class FrameRing {
  readonly #seen: Seen[] = [];
  #next = 0;

  add(seen: Seen): void {
    if (this.#seen.length < FRAME_RING_MAX) this.#seen.push(seen);
    else this.#seen[this.#next] = seen;
    this.#next = (this.#next + 1) % FRAME_RING_MAX;
  }

  /** Newest last. The text of each is made when it is read: a whole ring at once would hold the line's process up for milliseconds. */
  frames(): LineFrame[] {
    const ordered =
      this.#seen.length < FRAME_RING_MAX
        ? this.#seen
        : [...this.#seen.slice(this.#next), ...this.#seen.slice(0, this.#next)];
    return ordered.map((seen) => new SeenFrame(seen));
  }
}
