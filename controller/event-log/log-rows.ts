import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { ARCHIVE_DIRECTORY, type ArchiveEntry, LogArchives } from "@servofleet/runtime/log-archives";
import {
  type LogLineage,
  type LogMeta,
  type LogRow,
  SELECT_LINEAGE,
  SELECT_LOG_META,
} from "@servofleet/runtime/log-schema";
import { type ArchiveManifest, type LogCheckpoint, SELECT_CHECKPOINTS } from "@servofleet/runtime/log-signature";
import { SqliteDatabase } from "@servofleet/runtime/sqlite";

const PAGE_ROWS = 1000;

/** A log on disk as it is, row by row and with what it states about itself; read-only. */
export interface LogRows {
  readonly meta: LogMeta | undefined;
  /** Oldest first. */
  readonly lineage: readonly LogLineage[];
  /** Highest position that was ever given. */
  readonly given: number;
  readonly archives: readonly ArchiveEntry[];
  /** Of the archives and of the hot file, in the order of their serial numbers. */
  readonly checkpoints: readonly LogCheckpoint[];
  /** The rows after a position, over every border. */
  pages(after: number): Promise<readonly LogRow[]>;
  close(): Promise<void>;
}

/** Opens the log at `file`. Rejects with SqliteError or LogReaderError (archive-missing). */
export async function openLogRows(file: string): Promise<LogRows> {
  const hot = await SqliteDatabase.open(file, { readOnly: true });
  const archives = new LogArchives(hot, dirname(file));
  const close = async () => {
    await archives.close();
    await hot.close();
  };
  try {
    const has = async (table: string) =>
      (await hot.get("SELECT 1 FROM sqlite_schema WHERE name = ?1", [table])) !== undefined;
    // Taken before the first row is read: what a running writer adds meanwhile is beyond it.
    const given = await hot.get<{ seq: number }>("SELECT seq FROM sqlite_sequence WHERE name = 'events'");
    const meta = await hot.get<LogMeta>(SELECT_LOG_META);
    const hotCheckpoints = (await has("log_checkpoints")) ? await hot.all<LogCheckpoint>(SELECT_CHECKPOINTS) : [];
    const entries = await archives.entries();
    const lineage = (await has("log_lineage")) ? await hot.all<LogLineage>(SELECT_LINEAGE) : [];
    const checkpoints = new Map<number, LogCheckpoint>();
    for (const entry of entries)
      for (const one of await (await archives.connection(entry)).all<LogCheckpoint>(SELECT_CHECKPOINTS))
        checkpoints.set(one.serial, one);
    for (const one of hotCheckpoints) checkpoints.set(one.serial, one);
    return {
      meta,
      lineage: lineage.length > 0 || !meta ? lineage : [{ logId: meta.logId, afterPosition: 0 }],
      given: given?.seq ?? 0,
      archives: entries,
      checkpoints: [...checkpoints.values()].sort((a, b) => a.serial - b.serial),
      pages: (after) => archives.rowsAfter(after, PAGE_ROWS),
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

/** Where the archives of the log at `file` lie. */
export const archivePath = (file: string, archive: string): string => join(dirname(file), ARCHIVE_DIRECTORY, archive);

/** The manifest beside an archive, or undefined when there is none that can be read. */
export async function readManifest(archive: string): Promise<ArchiveManifest | undefined> {
  try {
    return JSON.parse(await readFile(`${archive}.json`, "utf8")) as ArchiveManifest;
  } catch {
    return undefined;
  }
}

/** SHA-256 of a file, hex, and its length. */
export async function fileDigest(file: string): Promise<{ sha256: string; bytes: number }> {
  const sum = createHash("sha256");
  let bytes = 0;
  for await (const chunk of createReadStream(file)) {
    sum.update(chunk as Buffer);
    bytes += (chunk as Buffer).length;
  }
  return { sha256: sum.digest("hex"), bytes };
}
