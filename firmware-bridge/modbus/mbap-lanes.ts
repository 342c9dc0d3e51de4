import { assert } from "@servofleet/runtime/assert";
import { MbapFramer } from "./mbap-framer.ts";

const HEADER_BYTES = 6;
const LENGTH_MAX = 254;

/** A piece of the stream and the lane that waits for it. */
export interface LanePiece {
  readonly lane: number;
  readonly bytes: Uint8Array;
}

/**
 * Several requests on one Modbus TCP connection: ids come from one counter, and each whole frame goes to the lane whose
 * request has its id, so that answers may come in any order. What nobody waits for goes to the first lane, as a stray.
 */
export class MbapLanes {
  readonly framers: readonly MbapFramer[];
  #buffer: Uint8Array<ArrayBufferLike> = new Uint8Array(0);

  constructor(startId: number, lanes: number) {
    assert(lanes >= 1, "a connection without lanes");
    let id = startId & 0xffff;
    const nextId = () => {
      id = (id + 1) & 0xffff;
      return id;
    };
    this.framers = Array.from({ length: lanes }, () => new MbapFramer(nextId));
  }

  route(bytes: Uint8Array): readonly LanePiece[] {
    const pieces: LanePiece[] = [];
    this.#buffer = this.#buffer.length === 0 ? bytes : Buffer.concat([this.#buffer, bytes]);
    while (this.#buffer.length >= HEADER_BYTES) {
      const view = new DataView(this.#buffer.buffer, this.#buffer.byteOffset, this.#buffer.byteLength);
      const length = HEADER_BYTES + view.getUint16(4);
      // A header that cannot be right: the framer says so, and the connection ends.
      const isBroken = view.getUint16(2) !== 0 || length - HEADER_BYTES > LENGTH_MAX;
      if (!isBroken && this.#buffer.length < length) break;
      const id = view.getUint16(0);
      const lane = isBroken
        ? 0
        : Math.max(
            0,
            this.framers.findIndex((framer) => framer.awaits(id)),
          );
      pieces.push({ lane, bytes: isBroken ? this.#buffer : this.#buffer.subarray(0, length) });
      this.#buffer = isBroken ? new Uint8Array(0) : this.#buffer.subarray(length);
    }
    return pieces;
  }

  reset(): void {
    this.#buffer = new Uint8Array(0);
  }
}
