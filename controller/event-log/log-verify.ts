import { readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { Clock } from "@servofleet/runtime/clock";
import { LogReader } from "@servofleet/runtime/log-reader";
import { LogReaderError } from "@servofleet/runtime/log-reader-error";
import { canonicalRow, chainHash, genesisHash, type LogRow } from "@servofleet/runtime/log-schema";
import { type LogCheckpoint, type PublicKeys, publicKeysOf } from "@servofleet/runtime/log-signature";
import { SqliteError } from "@servofleet/runtime/sqlite";
import { archiveFlaw } from "./archive-check.ts";
import { CheckpointCheck } from "./checkpoint-check.ts";
import { type LogFlaw, logFlaw } from "./log-flaw.ts";
import { LOG_PUBLIC_KEY_FILE } from "./log-key.ts";
import { archivePath, fileDigest, type LogRows, openLogRows, readManifest } from "./log-rows.ts";
import { nameTampering } from "./name-tampering.ts";

export type { LogFlaw, LogFlawKind } from "./log-flaw.ts";

/** What a log is held against. */
export interface VerifyOptions {
  /** PEM text of the keys that are trusted; else those beside the log, which whoever owns the disk owns, too. */
  readonly publicKeys?: string;
  /** Checkpoints that were kept elsewhere: they prove the end of the log, too. */
  readonly witnesses?: readonly LogCheckpoint[];
}

export interface LogVerification {
  readonly ok: boolean;
  readonly logId: string | null;
  readonly epoch: number | null;
  /** Rows whose chain was checked, archives included. */
  readonly events: number;
  readonly newestPosition: number;
  /** Hash of the newest good row. */
  readonly headHash: string | null;
  /** Up to here the chain is also the one that was signed. */
  readonly signedThrough: number;
  /** The newest checkpoint: kept elsewhere, it is a witness. */
  readonly newestCheckpoint: LogCheckpoint | null;
  readonly archives: number;
  readonly firstBad: LogFlaw | null;
}

const UNREADABLE: ReadonlySet<string> = new Set(["SQLITE_CORRUPT", "SQLITE_NOTADB", "SQLITE_IOERR"]);

/**
 * Walks the whole chain of `file` and of its archives read-only, beside a running writer too, holds it against what was
 * signed, and names the first place that does not fit. Rejects with SqliteError or LogReaderError when there is no log to
 * read in the file.
 */
export async function verifyLog(file: string, clock: Clock, options: VerifyOptions = {}): Promise<LogVerification> {
  // The reader is opened first for its checks of format and identity.
  await (await LogReader.open({ file, clock }))?.close();
  const keys = publicKeysOf(options.publicKeys ?? (await keysBeside(file)));
  let rows: LogRows;
  try {
    rows = await openLogRows(file);
  } catch (error) {
    const found = unreadable(error, 0);
    if (found) return { ...NOTHING, firstBad: found };
    throw error;
  }
  try {
    return await new LogWalk(file, rows, keys, options.witnesses ?? []).whole();
  } finally {
    await rows.close();
  }
}

const keysBeside = (file: string): Promise<string> =>
  readFile(join(dirname(file), LOG_PUBLIC_KEY_FILE), "utf8").catch(() => "");

const NOTHING: LogVerification = {
  ok: false,
  logId: null,
  epoch: null,
  events: 0,
  newestPosition: 0,
  headHash: null,
  signedThrough: 0,
  newestCheckpoint: null,
  archives: 0,
  firstBad: null,
};

/** One walk from the first row to the last. */
class LogWalk {
  readonly #file: string;
  readonly #rows: LogRows;
  readonly #keys: PublicKeys;
  readonly #signed: CheckpointCheck;
  readonly #witnessed: CheckpointCheck;
  readonly #versions = new Map<string, number>();
  #previous: { readonly position: number; readonly hash: string };

  constructor(file: string, rows: LogRows, keys: PublicKeys, witnesses: readonly LogCheckpoint[]) {
    this.#file = file;
    this.#rows = rows;
    this.#keys = keys;
    this.#signed = new CheckpointCheck(rows.checkpoints, rows.lineage, keys);
    const inOrder = [...witnesses].sort((a, b) => a.position - b.position);
    this.#witnessed = new CheckpointCheck(inOrder, rows.lineage, keys, "elsewhere");
    this.#previous = { position: 0, hash: genesisHash(rows.lineage[0]?.logId ?? "") };
  }

  async whole(): Promise<LogVerification> {
    const { meta, lineage, given, checkpoints, archives } = this.#rows;
    if (!meta) return { ...NOTHING, firstBad: logFlaw("damaged", 0, "log_meta is empty") };
    let firstBad = await this.#walk().catch((error: unknown) => {
      const found = unreadable(error, this.#previous.position + 1);
      if (!found) throw error;
      return found;
    });
    firstBad ??= await this.#archivesFlaw();
    if (!firstBad && lineage.at(-1)?.logId !== meta.logId)
      firstBad = logFlaw("rewritten", 1, `the log is called ${meta.logId} and its lineage ends with another id`);
    return {
      ok: firstBad === null,
      logId: meta.logId,
      epoch: meta.epoch,
      events: this.#previous.position,
      newestPosition: Math.max(this.#previous.position, given),
      headHash: this.#previous.hash,
      signedThrough: this.#signed.signedThrough,
      newestCheckpoint: checkpoints.at(-1) ?? null,
      archives: archives.length,
      firstBad,
    };
  }

  async #walk(): Promise<LogFlaw | null> {
    for (;;) {
      const page = await this.#rows.pages(this.#previous.position);
      for (const row of page) {
        const flaw = await this.#step(row);
        if (flaw) return flaw;
      }
      if (page.length === 0) break;
    }
    const end = this.#previous.position;
    if (end < this.#rows.given)
      return logFlaw("truncated", end + 1, `the log once reached position ${this.#rows.given}`, this.#rows.given);
    return this.#signed.end(end) ?? this.#witnessed.end(end);
  }

  async #step(row: LogRow): Promise<LogFlaw | null> {
    const expected = this.#previous.position + 1;
    if (row.position !== expected || chainHash(this.#previous.hash, canonicalRow(row)) !== row.hash)
      return nameTampering(this.#previous, this.#rows.pages);
    const version = (this.#versions.get(row.stream) ?? 0) + 1;
    if (row.version !== version)
      return logFlaw("rewritten", expected, `${row.stream} has version ${row.version}, expected ${version}`);
    this.#versions.set(row.stream, version);
    this.#previous = { position: row.position, hash: row.hash };
    return this.#signed.see(row.position, row.hash) ?? this.#witnessed.see(row.position, row.hash);
  }

  async #archivesFlaw(): Promise<LogFlaw | null> {
    for (const entry of this.#rows.archives) {
      const archive = archivePath(this.#file, entry.file);
      const { sha256 } = await fileDigest(archive);
      const flaw = archiveFlaw(entry, { sha256, manifest: await readManifest(archive) }, this.#keys);
      if (flaw) return flaw;
    }
    return null;
  }
}

function unreadable(error: unknown, position: number): LogFlaw | null {
  if (error instanceof SqliteError && UNREADABLE.has(error.code))
    return logFlaw("damaged", position, `SQLite cannot read on (${error.code})`);
  if (error instanceof LogReaderError && error.code === "archive-missing") {
    const { firstPosition, lastPosition } = error.facts as { firstPosition: number; lastPosition: number };
    return logFlaw("damaged", firstPosition, error.hint, lastPosition);
  }
  return null;
}
