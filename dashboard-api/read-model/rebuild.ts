import { existsSync } from "node:fs";
import { rm } from "node:fs/promises";
import type { Clock } from "@servofleet/runtime/clock";
import { logPages } from "./log-pages.ts";
import type { LogSource } from "./log-source.ts";
import type { Projector } from "./projector.ts";
import { foldUntil } from "./projector.ts";
import { listOf, openProjectors } from "./projectors.ts";
import { currentGeneration, generationDirectory, generationStores } from "./read-generation.ts";
import { viewFile } from "./sqlite-view-store.ts";
import { compareTables, StoredTable } from "./stored-table.ts";

/** How far a rebuild is. */
export interface RebuildProgress {
  readonly step: "building" | "comparing" | "catching-up";
  /** The projection that is compared; null while all are built together. */
  readonly projection: string | null;
  readonly position: number;
  readonly newest: number;
}

/** One projection, built anew and held against the one that answers. */
export interface RebuiltProjection {
  readonly projection: string;
  /** Position at which both were compared. */
  readonly comparedAt: number | null;
  readonly rows: number;
  readonly checksum: string;
  /** null when there was nothing to compare with. */
  readonly liveChecksum: string | null;
  readonly same: boolean | null;
  readonly differing: number;
  /** Key of the first row that differs. */
  readonly firstDifference: string | null;
}

export interface Rebuilt {
  readonly generation: number;
  readonly logId: string;
  readonly position: number;
  readonly projections: readonly RebuiltProjection[];
}

export interface RebuildOptions {
  readonly log: LogSource;
  readonly readDirectory: string;
  readonly clock: Clock;
  readonly progress: (progress: RebuildProgress) => void;
  readonly signal: AbortSignal;
}

/**
 * Builds every projection from the first event into files of the next generation, beside the ones that answer, and
 * compares the two at the same position. Nothing is switched. Rejects with what the log or the disk says, with the
 * ProjectionError of a projection that cannot go on, or with the signal's reason; then the new files are gone again.
 */
export async function rebuildBeside(options: RebuildOptions): Promise<Rebuilt> {
  const { log, readDirectory, clock, progress, signal } = options;
  const current = await currentGeneration(readDirectory);
  const generation = current + 1;
  const directory = generationDirectory(readDirectory, generation);
  await rm(directory, { recursive: true, force: true });
  const made = listOf(await openProjectors(log, await generationStores(readDirectory, generation), clock));
  try {
    const live = made.map(({ projection }) => viewFile(generationDirectory(readDirectory, current), projection));
    await buildUntil(await lowestPosition(live, log), made, options);
    const projections: RebuiltProjection[] = [];
    for (const [at, projector] of made.entries()) {
      const { name } = projector.projection;
      const newest = await log.newestPosition();
      progress({ step: "comparing", projection: name, position: projector.position, newest });
      projections.push(await comparedWith(live[at] ?? "", projector, directory, log));
      signal.throwIfAborted();
    }
    const position = await log.newestPosition();
    progress({ step: "catching-up", projection: null, position, newest: position });
    for (const projector of made) await reach(projector, log, position);
    for (const projector of made) await projector.close();
    return { generation, logId: log.logId, position, projections };
  } catch (cause) {
    for (const projector of made) await projector.close().catch(() => undefined);
    await rm(directory, { recursive: true, force: true });
    throw cause;
  }
}

/** The live ones are compared where they stand: none of the new ones may be beyond its live one before that. */
async function lowestPosition(files: readonly string[], log: LogSource): Promise<number> {
  let lowest = await log.newestPosition();
  for (const file of files) {
    const table = await liveTable(file);
    if (!table) continue;
    // A file that was left behind by another log stands anywhere; then the comparison says so.
    lowest = Math.min(lowest, table.position);
    await table.close();
  }
  return lowest;
}

/** One page of the log for all of them. */
async function buildUntil(until: number, made: readonly Projector<never>[], options: RebuildOptions): Promise<void> {
  const { log, progress, signal } = options;
  for (const projector of made) projector.markBehind();
  for await (const page of logPages(log, 0, until)) {
    signal.throwIfAborted();
    for (const projector of made) {
      await projector.handle(page);
      if (projector.halted) throw projector.halted;
    }
    progress({ step: "building", projection: null, position: page.at(-1)?.position ?? 0, newest: until });
  }
}

async function reach(projector: Projector<never>, log: LogSource, position: number): Promise<void> {
  await foldUntil(projector, log, position);
  if (projector.halted) throw projector.halted;
  await projector.flush();
}

async function comparedWith(
  liveFile: string,
  projector: Projector<never>,
  directory: string,
  log: LogSource,
): Promise<RebuiltProjection> {
  const live = await liveTable(liveFile);
  if (live) await reach(projector, log, live.position);
  else await projector.flush();
  const fresh = await StoredTable.open(viewFile(directory, projector.projection));
  try {
    const found = await compareTables(fresh, live ?? fresh);
    const { rows, checksum, otherChecksum, differing, firstDifference } = found;
    return {
      projection: projector.projection.name,
      comparedAt: live?.position ?? null,
      rows,
      checksum,
      liveChecksum: live ? otherChecksum : null,
      same: live ? differing === 0 : null,
      differing,
      firstDifference,
    };
  } finally {
    await fresh.close();
    await live?.close();
  }
}

/** The file that answers; null when there is none of this version, or nothing in it. */
async function liveTable(file: string): Promise<StoredTable | null> {
  if (!existsSync(file)) return null;
  const table = await StoredTable.open(file).catch(() => null);
  if (table && table.position === 0) {
    await table.close();
    return null;
  }
  return table;
}
