import { basename, dirname } from "node:path";
import { CrashError } from "./crash-error.ts";

/** What a process did to one directory, in order; files are numbered by their creation, so a name may change hands. */
export type DiskEvent =
  | { readonly does: "create"; readonly name: string; readonly file: number }
  | { readonly does: "write"; readonly file: number; readonly at: number; readonly data: Buffer }
  | { readonly does: "truncate"; readonly file: number; readonly length: number }
  /** `covers`: what stands before this place of the trace is on the disk, when `ok`; and lost for good when not. */
  | { readonly does: "sync"; readonly file: number; readonly covers: number; readonly ok: boolean }
  | { readonly does: "sync-names"; readonly directory: string; readonly covers: number; readonly ok: boolean }
  | { readonly does: "unlink"; readonly name: string }
  | { readonly does: "rename"; readonly from: string; readonly to: string }
  /** A line that a life said to the outside: whoever heard it relies on it. */
  | { readonly does: "say"; readonly line: string }
  /** Another process begins; the one before has ended. */
  | { readonly does: "start" }
  | { readonly does: "nothing" };

/** Written by a life for the outside; no part of the disk. */
export const SAID_FILE = "said";
/** As in disk-recorder.c. */
const KINDS = [
  "none",
  "process",
  "open",
  "close",
  "write",
  "truncate",
  "sync-begin",
  "sync-end",
  "unlink",
  "rename",
  "mkdir",
] as const;
const HEADER_BYTES = 32;
const [CREATED, TRUNCATED] = [1, 2];

interface RawRecord {
  readonly kind: (typeof KINDS)[number];
  readonly fd: number;
  readonly value: number;
  readonly begun: number;
  readonly body: Buffer;
}

function* rawRecords(trace: Buffer): Generator<RawRecord> {
  for (let at = 0; at < trace.length; ) {
    const kind = KINDS[trace.readUInt32LE(at)];
    const length = Number(trace.readBigUInt64LE(at + 24));
    const end = at + HEADER_BYTES + length;
    if (kind === undefined || kind === "none" || end > trace.length)
      throw new CrashError("trace-damaged", { at }, "the recorder wrote something else than its reader knows");
    yield {
      kind,
      fd: trace.readInt32LE(at + 4),
      value: Number(trace.readBigInt64LE(at + 8)),
      begun: Number(trace.readBigUInt64LE(at + 16)),
      body: trace.subarray(at + HEADER_BYTES, end),
    };
    at = end;
  }
}

/** Shared memory and locks: SQLite makes them anew after a power cut. */
const isVolatile = (name: string): boolean => /-shm$|\.lock(\.owner|-journal)?$/.test(basename(name));

/** Reads what disk-recorder.c wrote, lives one after the other. Throws CrashError (trace-damaged). Pure. */
export function parseDiskTrace(trace: Buffer): DiskEvent[] {
  const reader = new TraceReader();
  // One event per record: so a record's number within its process is also a place in the list.
  for (const record of rawRecords(trace)) reader.take(record);
  return reader.events;
}

class TraceReader {
  readonly events: DiskEvent[] = [];
  readonly #names = new Map<string, number>();
  readonly #open = new Map<number, { readonly file: number } | { readonly directory: string }>();
  #processAt = 0;
  #files = 0;
  #said = -1;

  take(record: RawRecord): void {
    this.events.push(this.#event(record));
  }

  #event(record: RawRecord): DiskEvent {
    const { kind, fd, value, body } = record;
    if (kind === "process") {
      this.#open.clear();
      this.#processAt = this.events.length;
      return { does: "start" };
    }
    if (kind === "open") return this.#opened(record);
    if (kind === "close") this.#open.delete(fd);
    if (kind === "unlink") return this.#unlinked(body.toString());
    if (kind === "rename") return this.#renamed(body.toString());
    const target = this.#open.get(fd);
    if (!target) return { does: "nothing" };
    if ("directory" in target) {
      if (kind !== "sync-end") return { does: "nothing" };
      const covers = this.#processAt + record.begun;
      return { does: "sync-names", directory: target.directory, covers, ok: value === 1 };
    }
    const { file } = target;
    if (kind === "write" && file === this.#said) return { does: "say", line: body.toString().trimEnd() };
    if (kind === "write") return { does: "write", file, at: value, data: body };
    if (kind === "truncate") return { does: "truncate", file, length: value };
    if (kind === "sync-end") return { does: "sync", file, covers: this.#processAt + record.begun, ok: value === 1 };
    return { does: "nothing" };
  }

  #opened({ fd, value, body }: RawRecord): DiskEvent {
    const name = body.toString();
    const known = this.#names.get(name);
    if ((value & CREATED) === 0 && known === undefined) {
      // Something that was there before the record began: the directory itself, or one below.
      this.#open.set(fd, { directory: name });
      return { does: "nothing" };
    }
    const file = (value & CREATED) === 0 && known !== undefined ? known : this.#files++;
    if (name === SAID_FILE) this.#said = file;
    this.#names.set(name, file);
    this.#open.set(fd, { file });
    if (isVolatile(name) || name === SAID_FILE) {
      if (name !== SAID_FILE) this.#open.delete(fd);
      return { does: "nothing" };
    }
    if ((value & CREATED) !== 0) return { does: "create", name, file };
    return (value & TRUNCATED) !== 0 ? { does: "truncate", file, length: 0 } : { does: "nothing" };
  }

  #unlinked(name: string): DiskEvent {
    this.#names.delete(name);
    return isVolatile(name) ? { does: "nothing" } : { does: "unlink", name };
  }

  #renamed(both: string): DiskEvent {
    const [from = "", to = ""] = both.split("\0");
    const file = this.#names.get(from);
    this.#names.delete(from);
    if (file !== undefined) this.#names.set(to, file);
    return { does: "rename", from, to };
  }
}

/** The directory whose sync makes this name durable, "" for the watched one. */
export const directoryOf = (name: string): string => (dirname(name) === "." ? "" : dirname(name));
