import { type Frame, rfc3339 } from "@servofleet/contracts";
import { FRAME_RING_MAX } from "./link.ts";

export type LineFrame = Frame & { readonly unit: number | null };

interface Seen {
  readonly direction: "tx" | "rx";
  readonly atUs: number;
  readonly bytes: Uint8Array;
  readonly unit: number | null;
}

export const frameOf = (direction: "tx" | "rx", atUs: number, bytes: Uint8Array): Frame => ({
  direction,
  at: rfc3339(atUs),
  hex: Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("hex"),
});

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
    return ordered.map(({ direction, atUs, bytes, unit }) => ({
      direction,
      unit,
      get at() {
        return rfc3339(atUs);
      },
      get hex() {
        return frameOf(direction, atUs, bytes).hex;
      },
    }));
  }
}
