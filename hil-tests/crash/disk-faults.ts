import { closeSync, openSync, readSync, writeSync } from "node:fs";

/** Numbers of errno(3) on Linux. */
export const DISK_ERRORS = { EIO: 5, ENOSPC: 28, EROFS: 30 } as const;
/** What a disk can answer. */
export type DiskError = keyof typeof DISK_ERRORS;

/** Fields of `struct faults` in disk-recorder.c, 4 bytes each. */
const FIELDS = [
  "syncErrno",
  "syncSkip",
  "syncDelayMs",
  "writeErrno",
  "writeSkip",
  "syncOnlyOnce",
  "reservedA",
  "reservedB",
  "syncsBegun",
  "syncsEnded",
  "given",
  "reservedC",
] as const;
type Field = (typeof FIELDS)[number];
const WORD_BYTES = 4;

/** The faults of a disk, shared with the processes that run over it: what is set here holds for their next call. */
export class DiskFaults {
  readonly file: string;
  readonly #fd: number;

  constructor(file: string) {
    this.file = file;
    this.#fd = openSync(file, "w+", 0o600);
    writeSync(this.#fd, Buffer.alloc(FIELDS.length * WORD_BYTES));
  }

  /** The sync after the next `skip` ones fails; only that one, as a disk does that has remapped its bad sector. */
  failSync(skip: number, error: DiskError = "EIO"): void {
    this.#set("syncSkip", skip);
    this.#set("syncOnlyOnce", 1);
    this.#set("syncErrno", DISK_ERRORS[error]);
  }

  /** Each write is answered with this error, until null. */
  failWrites(error: DiskError | null): void {
    this.#set("writeErrno", error === null ? 0 : DISK_ERRORS[error]);
  }

  /** Each sync takes so much longer; 0 lets those under way go on at once. */
  slowSyncs(ms: number): void {
    this.#set("syncDelayMs", ms);
  }

  /** Nothing is wrong any more; the counters start anew. */
  heal(): void {
    writeSync(this.#fd, Buffer.alloc(FIELDS.length * WORD_BYTES), 0, FIELDS.length * WORD_BYTES, 0);
  }

  /** Syncs that have begun and not ended. */
  get syncsUnderWay(): number {
    return this.#get("syncsBegun") - this.#get("syncsEnded");
  }

  /** Errors given so far. */
  get given(): number {
    return this.#get("given");
  }

  close(): void {
    closeSync(this.#fd);
  }

  #set(field: Field, value: number): void {
    const word = Buffer.alloc(WORD_BYTES);
    word.writeUInt32LE(value);
    writeSync(this.#fd, word, 0, WORD_BYTES, FIELDS.indexOf(field) * WORD_BYTES);
  }

  #get(field: Field): number {
    const word = Buffer.alloc(WORD_BYTES);
    readSync(this.#fd, word, 0, WORD_BYTES, FIELDS.indexOf(field) * WORD_BYTES);
    return word.readUInt32LE(0);
  }
}
