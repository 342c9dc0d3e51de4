import type { ExpectedReply } from "./expected-reply.ts";

/** What a framer found in the bytes it was fed. */
export type Finding =
  /** The one right answer, in RTU form, and as it stood on the wire. */
  | { readonly type: "reply"; readonly adu: Uint8Array; readonly wire: Uint8Array }
  /** Bytes that are nobody's answer now: whole frames with a good checksum (`frames`: their units) and noise. */
  | {
      readonly type: "stray";
      readonly units: readonly number[];
      readonly noiseBytes: number;
      readonly wire: Uint8Array;
    }
  /** A frame of the right shape with a wrong CRC. */
  | { readonly type: "crc" }
  /** The stream cannot be trusted any more: the connection has to be closed. */
  | { readonly type: "broken"; readonly reason: string };

/** Cuts a byte stream into answers; it never returns one that does not match what is expected. */
export interface Framer {
  /** Starts waiting; everything buffered before is stale. Returns the bytes for the wire. `adu` is in RTU form. */
  begin(adu: Uint8Array, expected: ExpectedReply): { readonly wire: Uint8Array; readonly findings: readonly Finding[] };
  push(bytes: Uint8Array): readonly Finding[];
  /** Ends waiting (time-out); what is left in the buffer is reported. */
  end(): readonly Finding[];
  /** Forgets everything: the connection is another one. */
  reset(): void;
}
