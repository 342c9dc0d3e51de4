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
const USED = `SELECT (page_count - freelist_count) * page_size AS bytes
  FROM pragma_page_count, pragma_freelist_count, pragma_page_size`;

/** One step of forgetting: at most ROWS_PER_STEP rows of each level. Freed pages are used again, so the file stays bounded. */
export async function forgetOld(
  database: SqliteConnection,
  nowUs: number,
  sizeMaxBytes = SIZE_MAX_BYTES,
): Promise<void> {
  for (const [level, keepUs] of KEEP_US) await database.run(TOO_OLD, [level, nowUs - keepUs]);
  const used = await database.get<{ bytes: number }>(USED);
  if ((used?.bytes ?? 0) <= sizeMaxBytes) return;
  for (const level of GOES_FIRST) if ((await database.run(OLDEST, [level])).changes > 0) return;
}
