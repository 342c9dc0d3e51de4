import type { AxisId } from "@servofleet/contracts";
import type { MotionWrite } from "../sim/drive-record.ts";
import type { SimulatedDrive } from "../sim/simulated-drive.ts";

/** Function code of a write of several registers (Modbus Application Protocol V1.1b3, section 6.12). */
const WRITE_REGISTERS = 0x10;

/** A motion-relevant write as the drive itself recorded it, and when its frame began to leave. */
export interface BookedMotion extends Pick<MotionWrite, "kind" | "obeyed" | "target"> {
  readonly axis: AxisId;
  readonly writtenMs: number;
  readonly arrivedMs: number;
}

/** A write on its way to a drive, whatever became of it. */
export interface WireWrite {
  readonly axis: AxisId;
  readonly atMs: number;
  /** The register values it writes, when there are several. */
  readonly words: readonly number[];
}

/** Where a drive truly was when a frame was served. */
interface Place {
  readonly axis: AxisId;
  readonly atMs: number;
  readonly counts: number;
}

/** The oracle: what the drives were told, from their own records, never from the product. */
export class MotionBook {
  readonly motions: BookedMotion[] = [];
  readonly writes: WireWrite[] = [];
  readonly #places: Place[] = [];
  readonly #seen = new Map<AxisId, number>();

  /** A frame has been served: books what the drive has recorded since. */
  served(axis: AxisId, drive: SimulatedDrive, writtenMs: number, nowMs: number): void {
    const fresh = drive.record.list(this.#seen.get(axis) ?? 0);
    for (const { seq, kind, obeyed, target } of fresh) {
      this.#seen.set(axis, seq);
      this.motions.push({ axis, kind, obeyed, target, writtenMs, arrivedMs: nowMs });
    }
    this.#places.push({ axis, atMs: nowMs, counts: drive.state().position });
  }

  wrote(axis: AxisId, bytes: Uint8Array, atMs: number): void {
    this.writes.push({ axis, atMs, words: writtenWords(bytes) });
  }

  /** Whether the axis was seen in that time, and never left the window of the target. */
  stood(axis: string, targetCounts: number, windowCounts: number, fromMs: number, toMs: number): boolean {
    const seen = this.#places.filter((place) => place.axis === axis && place.atMs >= fromMs && place.atMs <= toMs);
    return seen.length > 0 && seen.every(({ counts }) => Math.abs(counts - targetCounts) <= windowCounts);
  }

  /** Whether the axis was within the window of the target when it was last seen before that moment. */
  foundAt(axis: string, targetCounts: number, windowCounts: number, atMs: number): boolean {
    const last = this.#places.findLast((place) => place.axis === axis && place.atMs <= atMs);
    return last !== undefined && Math.abs(last.counts - targetCounts) <= windowCounts;
  }

  /** When the first frame left that writes this target, in either word order. */
  firstCarrying(axis: AxisId, targetCounts: number, fromMs: number): number | undefined {
    const high = (targetCounts >>> 16) & 0xffff;
    const low = targetCounts & 0xffff;
    const carries = ({ axis: to, atMs, words }: WireWrite) =>
      to === axis &&
      atMs >= fromMs &&
      words.some((word, n) => (word === high && words[n + 1] === low) || (word === low && words[n + 1] === high));
    return this.writes.find(carries)?.atMs;
  }
}

/**
 * The values of a write of several registers, RTU or TCP; of any other frame none. A target takes two registers, and
 * other frames may hold its bytes by chance, across their fields.
 */
function writtenWords(frame: Uint8Array): readonly number[] {
  const bytes = Buffer.from(frame.buffer, frame.byteOffset, frame.byteLength);
  const tcp = bytes.length > 6 && bytes.readUInt16BE(2) === 0 && bytes.readUInt16BE(4) === bytes.length - 6;
  const pdu = bytes.subarray(tcp ? 7 : 1);
  if (pdu[0] !== WRITE_REGISTERS) return [];
  const values = pdu.subarray(6, 6 + (pdu[5] ?? 0));
  return Array.from({ length: values.length >> 1 }, (_, n) => values.readUInt16BE(n * 2));
}

/** Kinds that set an axis going. */
export const STARTS: ReadonlySet<MotionWrite["kind"]> = new Set([
  "start-absolute",
  "start-relative",
  "velocity",
  "home",
]);
