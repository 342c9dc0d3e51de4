import type { Random } from "@servofleet/runtime/clock";
import { type DiskEvent, directoryOf } from "./disk-trace.ts";

/** What a disk may do with what nobody has synced when the power goes. */
export const CUT_KINDS = ["lost", "kept", "in-order", "scattered"] as const;
/** One of them. */
export type CutKind = (typeof CUT_KINDS)[number];
/** Disks write whole sectors of one of these sizes; a write of several may be torn between them. */
const SECTOR_BYTES = [512, 4096] as const;
/** Of a scattered cut: shares of the unsynced writes that arrived whole, and that arrived in part. */
const WHOLE_SHARE = 0.45;
const TORN_SHARE = 0.25;

type Change = Extract<DiskEvent, { does: "write" | "truncate" }>;
type NameChange = Extract<DiskEvent, { does: "create" | "unlink" | "rename" }>;
interface Pending<T> {
  readonly index: number;
  readonly change: T;
}
interface DiskFile {
  content: FileBytes;
  pending: Pending<Change>[];
}

/**
 * A disk with a cache in front: what was synced stays, everything else is at the mercy of the cut. Files and names are
 * synced apart, as POSIX has it; unsynced names survive in their order (file systems keep a journal of them). What a failed sync
 * covered is gone for good: the kernel marks such pages clean.
 */
export class PowerCutDisk {
  readonly #files = new Map<number, DiskFile>();
  readonly #names = new Map<string, number>();
  #pendingNames: Pending<NameChange>[] = [];
  #index = 0;

  take(event: DiskEvent): void {
    const index = this.#index++;
    if (event.does === "write" || event.does === "truncate")
      this.#files.get(event.file)?.pending.push({ index, change: event });
    if (event.does === "create") this.#files.set(event.file, { content: new FileBytes(), pending: [] });
    if (event.does === "create" || event.does === "unlink" || event.does === "rename")
      this.#pendingNames.push({ index, change: event });
    if (event.does === "sync") this.#sync(event);
    if (event.does === "sync-names") this.#syncNames(event);
  }

  /** The files as they are found when the power comes back. */
  image(kind: CutKind, random: Random): ReadonlyMap<string, Buffer> {
    const names = new Map(this.#names);
    const kept = kind === "lost" ? 0 : kind === "kept" ? 1 : random.next();
    const survivors = Math.round(kept * this.#pendingNames.length);
    for (const { change } of this.#pendingNames.slice(0, survivors)) rename(names, change);
    const image = new Map<string, Buffer>();
    for (const [name, id] of names) {
      const file = this.#files.get(id);
      if (!file) continue;
      const content = file.content.copy();
      for (const change of survived(file.pending, kind, random)) content.apply(change);
      image.set(name, content.bytes);
    }
    return image;
  }

  #sync({ file, covers, ok }: Extract<DiskEvent, { does: "sync" }>): void {
    const found = this.#files.get(file);
    if (!found) return;
    if (ok) for (const { index, change } of found.pending) if (index < covers) found.content.apply(change);
    found.pending = found.pending.filter(({ index }) => index >= covers);
  }

  #syncNames({ directory, covers, ok }: Extract<DiskEvent, { does: "sync-names" }>): void {
    if (!ok) return;
    const synced = ({ index, change }: Pending<NameChange>) =>
      index < covers && directoryOf(change.does === "rename" ? change.to : change.name) === directory;
    for (const pending of this.#pendingNames) if (synced(pending)) rename(this.#names, pending.change);
    this.#pendingNames = this.#pendingNames.filter((pending) => !synced(pending));
  }
}

function rename(names: Map<string, number>, change: NameChange): void {
  if (change.does === "create") names.set(change.name, change.file);
  else if (change.does === "unlink") names.delete(change.name);
  else {
    const file = names.get(change.from);
    names.delete(change.from);
    if (file !== undefined) names.set(change.to, file);
  }
}

/** The unsynced changes that reached the platter, as far as they did. */
function survived(pending: readonly Pending<Change>[], kind: CutKind, random: Random): Change[] {
  const changes = pending.map(({ change }) => change);
  if (kind === "lost") return [];
  if (kind === "kept") return changes;
  if (kind === "in-order") {
    const whole = Math.floor(random.next() * (changes.length + 1));
    const next = changes[whole];
    return [...changes.slice(0, whole), ...(next ? torn(next, random, "front") : [])];
  }
  return changes.flatMap((change) => {
    const fate = random.next();
    if (fate < WHOLE_SHARE) return [change];
    return fate < WHOLE_SHARE + TORN_SHARE ? torn(change, random, "anywhere") : [];
  });
}

/** The sectors of a write that arrived: those before the cut, or any. */
function torn(change: Change, random: Random, where: "front" | "anywhere"): Change[] {
  if (change.does === "truncate") return [];
  const sector = SECTOR_BYTES[Math.floor(random.next() * SECTOR_BYTES.length)] ?? SECTOR_BYTES[0];
  const { file, at, data } = change;
  const front = random.next() * data.length;
  const parts: Change[] = [];
  for (let from = 0; from < data.length; ) {
    // Sectors are the disk's: they are counted from the beginning of the file.
    const to = Math.min(data.length, (Math.floor((at + from) / sector) + 1) * sector - at);
    if (where === "front" ? to <= front : random.next() < 0.5)
      parts.push({ does: "write", file, at: at + from, data: data.subarray(from, to) });
    from = to;
  }
  return parts;
}

/** Bytes of a file that grow and shrink. */
class FileBytes {
  #buffer = Buffer.alloc(0);
  #length = 0;

  get bytes(): Buffer {
    return this.#buffer.subarray(0, this.#length);
  }

  copy(): FileBytes {
    const copied = new FileBytes();
    copied.#buffer = Buffer.from(this.bytes);
    copied.#length = this.#length;
    return copied;
  }

  apply(change: Change): void {
    if (change.does === "truncate") {
      this.#resize(change.length);
      return;
    }
    const end = change.at + change.data.length;
    if (end > this.#length) this.#resize(end);
    change.data.copy(this.#buffer, change.at);
  }

  #resize(length: number): void {
    if (length > this.#buffer.length) {
      const grown = Buffer.alloc(Math.max(length, 2 * this.#buffer.length));
      this.bytes.copy(grown);
      this.#buffer = grown;
    }
    // A file that grows again after it was cut shows zeros there.
    if (length < this.#length) this.#buffer.fill(0, length, this.#length);
    this.#length = length;
  }
}
