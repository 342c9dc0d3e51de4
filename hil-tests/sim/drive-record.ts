/** What a write asked of the motor. */
export type MotionWriteKind =
  | "start-absolute"
  | "start-relative"
  | "velocity"
  | "home"
  | "stop"
  | "halt"
  | "enable"
  | "disable"
  | "reset"
  | "zero";

/** One motion-relevant write as the drive received it, whether or not it obeyed. */
export interface MotionWrite {
  /** 1, 2, 3 ... per drive, without gaps; survives a power cycle of the simulated drive. */
  seq: number;
  /** Monotonic ns of the host when the frame was complete, decimal digits. */
  atNs: string;
  kind: MotionWriteKind;
  /** False when the drive ignored it (not enabled, in alarm, homing). */
  obeyed: boolean;
  /** Target in drive counts for a start (as written: relative stays relative), speed for `velocity`. */
  target: number | null;
  /** Register and value that caused it, as `0x6002=0x0010`. */
  cause: string;
}

const RECORD_MAX = 10_000;

/** The drive's own memory of what it was told, so that a test can prove "sent once" and "no motion after a stop". */
export class DriveRecord {
  readonly #entries: MotionWrite[] = [];
  #seq = 0;

  /** Keeps the newest 10,000. */
  add(entry: Omit<MotionWrite, "seq">): void {
    this.#entries.push({ seq: ++this.#seq, ...entry });
    if (this.#entries.length > RECORD_MAX) this.#entries.shift();
  }

  /** Oldest first; with `afterSeq` only what came later. */
  list(afterSeq = 0): readonly MotionWrite[] {
    return this.#entries.filter((entry) => entry.seq > afterSeq);
  }
}

/** `0x6002=0x0010`. */
export function causeOf(register: number, value: number): string {
  return `${hex(register)}=${hex(value & 0xffff)}`;
}

function hex(value: number): string {
  return `0x${value.toString(16).toUpperCase().padStart(4, "0")}`;
}
