import type { LinkId } from "./ids.ts";

/** Controller to bridge: hand over the last frames of a link. Reads memory only, nothing goes to the line. */
export interface CaptureRequest {
  /** Chosen by the asker; every part of the answer carries it. */
  readonly captureId: string;
  readonly link: LinkId;
}

/** Bridge to controller: a piece of a pcapng file. A piece can be lost (the file is then given up), never reordered. */
export interface CapturePart {
  readonly captureId: string;
  /** 0, 1, 2 ... without gap. */
  readonly index: number;
  readonly last: boolean;
  /** Bytes of the file, at most CAPTURE_PART_MAX_BYTES before the encoding. */
  readonly base64: string;
}

/** A part stays well below what one message of any bus may have (NATS: 1 MiB). */
export const CAPTURE_PART_MAX_BYTES = 65_536;
/** Bound of a whole file; the bridge leaves out the oldest frames that would exceed it. */
export const CAPTURE_FILE_MAX_BYTES = 4_194_304;
