import type { SqliteConnection } from "@servofleet/runtime/sqlite";
import { LEVELS, type Level } from "@servofleet/runtime/telemetry-schema";

const HOUR_US = 3_600_000_000;
const DAY_US = 24 * HOUR_US;

/** How long each kind is kept, */
export const KEEP_US: ReadonlyMap<Level, number> = new Map([
  [LEVELS.raw, DAY_US],
  [LEVELS.second, 30 * DAY_US],
  [LEVELS.minute, 730 * DAY_US],
  [LEVELS.blackBox, 365 * DAY_US],
]);
/** and how large the file may grow; then the oldest go earlier, samples first, black boxes last. */
export const SIZE_MAX_BYTES = 2 * 1024 ** 3;
const GOES_FIRST: readonly Level[] = [LEVELS.raw, LEVELS.second, LEVELS.minute, LEVELS.blackBox];
/** Rows of one delete: a commit must not hold up the next flush. */
const ROWS_PER_STEP = 500;

const TOO_OLD = `DELETE FROM chunks WHERE id IN (SELECT id FROM chunks WHERE level = ?1 AND to_us < ?2 ORDER BY to_us LIMIT ${ROWS_PER_STEP})`;
const OLDEST = `DELETE FROM chunks WHERE id IN (SELECT id FROM chunks WHERE level = ?1 ORDER BY to_us LIMIT ${ROWS_PER_STEP})`;
const USED = `SELECT (page_count - freelist_count) * page_size AS used, page_count * page_size AS file
  FROM pragma_page_count, pragma_freelist_count, pragma_page_size`;
/** With less free space than this the file grows no more: samples must never take the log's room. */
export const FREE_MIN_BYTES = 256 * 1024 ** 2;
/** Then so much of the file is kept in use; what is freed takes the new samples. */
const FULL_SHARE = 0.9;

/** What bounds the file. */
export interface TelemetryBudget {
  readonly sizeMaxBytes: number;
  /** Of the disk that the file lies on. */
  readonly freeBytes: number;
}

/** One step of forgetting: at most ROWS_PER_STEP rows of each level. True when there is more to forget. */
export async function forgetOld(database: SqliteConnection, nowUs: number, budget: TelemetryBudget): Promise<boolean> {
  let more = false;
  for (const [level, keepUs] of KEEP_US) {
    const { changes } = await database.run(TOO_OLD, [level, nowUs - keepUs]);
    more ||= changes === ROWS_PER_STEP;
  }
  const size = await database.get<{ used: number; file: number }>(USED);
  if (!size || size.used <= allowedBytes(size.file, budget)) return more;
  for (const level of GOES_FIRST) if ((await database.run(OLDEST, [level])).changes > 0) return true;
  return more;
}

/** How much of the file may be in use. Freed pages are used again, so the file then stays as it is. Pure. */
export const allowedBytes = (fileBytes: number, { sizeMaxBytes, freeBytes }: TelemetryBudget): number =>
  freeBytes < FREE_MIN_BYTES ? Math.min(sizeMaxBytes, FULL_SHARE * fileBytes) : sizeMaxBytes;
