import { hash as digest } from "node:crypto";
import { readFile } from "node:fs/promises";
import type { RecordedEvent } from "@servofleet/contracts";
import { type Clock, sleep, type Timer } from "@servofleet/runtime/clock";
import { writeWhole } from "./log-key.ts";

/** Beside the log, and never needed: what is wrong with it only makes the next start slower. */
export const SNAPSHOT_FILE = "snapshot.json";
/** A start folds about so many events at most. */
const EVENTS_BEHIND = 20_000;
const LOOK_EVERY_MS = 60_000;
const PAGE = 200;
const PAUSE_MS = 10;
const MODE = 0o640;

/** Something that is made of the log alone, event by event. */
export interface SnapshotFold {
  take(events: readonly RecordedEvent[]): void;
  /** All of it, so that a fold made of this text goes on as this one would. */
  text(): string;
}

/** A fold as it stood. */
export interface LogSnapshot {
  readonly position: number;
  readonly text: string;
}

/** Keeps one fold of the log on the disk, so that a start need not read the log from its beginning. */
export interface LogSnapshots {
  /** The snapshot, when it is whole, of this log, and made by what `fingerprint` stands for (code and configuration). */
  load(fingerprint: string): Promise<LogSnapshot | undefined>;
  /** Goes on from `position` with a fold that is nobody else's, now and then, and writes it. */
  keep(fold: SnapshotFold, position: number, fingerprint: string): void;
}

interface SnapshotDocument extends LogSnapshot {
  readonly fingerprint: string;
  /** Chain hash of the event at `position`: no other log has it. */
  readonly hash: string;
  /** Of `text`. */
  readonly sha256: string;
}

export interface SnapshotParts {
  readonly file: string;
  readonly clock: Clock;
  readonly newest: () => number;
  readonly read: (afterPosition: number, limit: number) => Promise<readonly RecordedEvent[]>;
}

/** Snapshots in a file. */
export class FileSnapshots implements LogSnapshots {
  readonly #parts: SnapshotParts;
  #timer: Timer | undefined;
  #fold: SnapshotFold | undefined;
  #position = 0;
  #hash = "";
  #fingerprint = "";
  #writtenAt = 0;
  #working: Promise<void> | undefined;
  #closed = false;

  constructor(parts: SnapshotParts) {
    this.#parts = parts;
  }

  async load(fingerprint: string): Promise<LogSnapshot | undefined> {
    const found = await readDocument(this.#parts.file);
    if (!found || found.fingerprint !== fingerprint) return undefined;
    if (digest("sha256", found.text, "hex") !== found.sha256) return undefined;
    const [event] = await this.#parts.read(found.position - 1, 1);
    if (event?.position !== found.position || event.hash !== found.hash) return undefined;
    this.#writtenAt = found.position;
    return { position: found.position, text: found.text };
  }

  keep(fold: SnapshotFold, position: number, fingerprint: string): void {
    this.#fold = fold;
    this.#position = position;
    this.#fingerprint = fingerprint;
    this.#timer?.cancel();
    this.#timer = this.#parts.clock.every(LOOK_EVERY_MS, () => void this.look());
    void this.look();
  }

  /** Brings the fold up to the log's end and writes it, when it is far behind. A disk that refuses is asked again later. */
  look(): Promise<void> {
    this.#working ??= this.#work()
      .catch(() => undefined)
      .finally(() => {
        this.#working = undefined;
      });
    return this.#working;
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#timer?.cancel();
    await this.#working;
  }

  async #work(): Promise<void> {
    const { clock, newest, read, file } = this.#parts;
    const fold = this.#fold;
    if (!fold || newest() - this.#writtenAt < EVENTS_BEHIND) return;
    while (!this.#closed) {
      // From the row before, so that the hash of where it stands is known from the log itself.
      const page = await read(Math.max(0, this.#position - 1), PAGE);
      const fresh = page.filter(({ position }) => position > this.#position);
      fold.take(fresh);
      this.#position = page.at(-1)?.position ?? this.#position;
      this.#hash = page.at(-1)?.hash ?? this.#hash;
      if (fresh.length === 0) break;
      await sleep(clock, PAUSE_MS);
    }
    if (this.#closed || this.#position === 0) return;
    const text = fold.text();
    const document: SnapshotDocument = {
      position: this.#position,
      hash: this.#hash,
      fingerprint: this.#fingerprint,
      sha256: digest("sha256", text, "hex"),
      text,
    };
    await writeWhole(file, JSON.stringify(document), MODE);
    this.#writtenAt = document.position;
  }
}

async function readDocument(file: string): Promise<SnapshotDocument | undefined> {
  try {
    const found = JSON.parse(await readFile(file, "utf8")) as SnapshotDocument;
    const whole = typeof found.text === "string" && Number.isInteger(found.position) && found.position > 0;
    return whole ? found : undefined;
  } catch {
    return undefined;
  }
}
