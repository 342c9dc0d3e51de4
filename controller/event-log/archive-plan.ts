/** What stays in the hot file. */
export interface LogRetention {
  /** Days that an event stays at least. While it does, the idempotency key of its command is known. */
  readonly keepDays: number;
  /** Events that stay at most, once they are older than KEY_DAYS. */
  readonly keepEvents: number;
  /** Events of one archive file. */
  readonly archiveEvents: number;
}
export const LOG_RETENTION: LogRetention = { keepDays: 30, keepEvents: 1_000_000, archiveEvents: 100_000 };

/** An idempotency key is good for so long, however much is written. */
export const KEY_DAYS = 7;
/** Events that always stay: the newest are read again and again. */
export const HOT_EVENTS_MIN = 2000;
const US_PER_DAY = 86_400e6;

/** The hot file as it is. */
export interface HotFile {
  /** First position that no archive holds. */
  readonly first: number;
  readonly newest: number;
}

/** The positions that the next archive would hold, or undefined when there are too few. Pure. */
export function nextArchive(hot: HotFile, retention: LogRetention): { first: number; last: number } | undefined {
  const last = hot.first + retention.archiveEvents - 1;
  return hot.newest - last < HOT_EVENTS_MIN ? undefined : { first: hot.first, last };
}

/** True when an archive whose newest event was recorded at `lastWallUs` is due. Pure. */
export function isArchiveDue(hot: HotFile, lastWallUs: number, nowUs: number, retention: LogRetention): boolean {
  const days = (nowUs - lastWallUs) / US_PER_DAY;
  return days >= retention.keepDays || (days >= KEY_DAYS && hot.newest - hot.first >= retention.keepEvents);
}
