import type { SqliteConnection } from "./sqlite.ts";

/** How far around a place found by searching the wall clock may have run backwards unannounced (slewing, a step just noticed). */
const ROUGH_ROWS = 1000;

/** First positions of the stretches in which wall time was told to be steady: the clock can only have been set at their edges. */
const STRETCHES = `SELECT position FROM events WHERE stream >= 'box-' AND stream < 'box.' AND type IN ('BoxStarted', 'ClockStepped')
  ORDER BY position DESC`;
const STEP_BEFORE = `SELECT max(position) AS position FROM (
    SELECT position, wall_us, lag(wall_us) OVER (ORDER BY position) AS before FROM events
    WHERE position BETWEEN ?1 - ${ROUGH_ROWS} AND ?1)
  WHERE wall_us < before`;
const WALL_AT = "SELECT wall_us AS wallUs FROM events WHERE position = ?1";
/** Not 1 in a file whose beginning was archived. */
const OLDEST = "SELECT coalesce(min(position), 1) AS position FROM events";
const NEWEST = "SELECT coalesce(max(position), 0) AS position FROM events";
const ROUGH_END = `SELECT max(position) AS position FROM events
  WHERE position BETWEEN ?1 AND ?1 + ${ROUGH_ROWS} AND wall_us <= ?2`;

/**
 * Highest position whose wall time is <= `wallUs`, 0 when there is none. Wall time is data and may run backwards, so the
 * search goes from the newest stretch between two settings of the clock to the oldest, and halves only inside one.
 */
export async function positionAtWall(connection: SqliteConnection, wallUs: number): Promise<number> {
  const one = async (sql: string, params: readonly number[] = []): Promise<number> =>
    (await connection.get<{ position: number | null }>(sql, params))?.position ?? 0;
  const wallAt = async (position: number): Promise<number> =>
    (await connection.get<{ wallUs: number }>(WALL_AT, [position]))?.wallUs ?? Number.POSITIVE_INFINITY;

  const oldest = await one(OLDEST);
  let end = await one(NEWEST);
  const marks = await connection.all<{ position: number }>(STRETCHES);
  for (const mark of [...marks.map(({ position }) => position), oldest]) {
    if (mark > end) continue;
    const start = mark === oldest ? oldest : (await one(STEP_BEFORE, [mark])) || mark;
    if (start <= end && (await wallAt(start)) <= wallUs) {
      const found = await lastAtOrBefore(start, end, wallUs, wallAt);
      return Math.min(end, await one(ROUGH_END, [found, wallUs]));
    }
    end = Math.min(end, start - 1);
  }
  return 0;
}

/** Highest position of a steady stretch whose wall time is <= `wallUs`; that of `start` is. */
async function lastAtOrBefore(
  start: number,
  end: number,
  wallUs: number,
  wallAt: (position: number) => Promise<number>,
): Promise<number> {
  let [low, high] = [start, end];
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if ((await wallAt(middle)) <= wallUs) low = middle;
    else high = middle - 1;
  }
  return low;
}
