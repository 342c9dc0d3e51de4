import { canonicalRow, chainHash, type LogRow } from "@servofleet/runtime/log-schema";
import { type LogFlaw, logFlaw } from "./log-flaw.ts";

/** How many rows may have been taken out before the rest was numbered anew; each costs one hash to try. */
const CLOSED_UP_MAX = 100_000;

/** Gives the rows after a position, in order, one page at a time. */
export type RowPages = (after: number) => Promise<readonly LogRow[]>;

interface Place {
  readonly position: number;
  readonly hash: string;
}

/**
 * Says what was done at the first place where the chain does not fit: `previous` is good, what follows it is not. Each row
 * carries the proof of its own place (its hash is over its predecessor's and its own position), so a row that was moved
 * still fits where it came from. Reads the rest of the log once or twice.
 */
export async function nameTampering(previous: Place, pages: RowPages): Promise<LogFlaw> {
  const expected = previous.position + 1;
  const [row, next] = await pages(previous.position);
  if (!row) return logFlaw("truncated", expected, "the log ends here");
  const genuine = await findGenuine(previous, pages);
  if (row.position !== expected)
    return genuine
      ? logFlaw("reordered", expected, `this event stands at position ${genuine.position}`)
      : logFlaw("deleted", expected, `after ${previous.position} comes ${row.position}`, row.position - 1);
  if (next && isFollowed(previous, row, next))
    return logFlaw("altered", expected, "its hash is not that of its content");
  if (genuine) {
    if (await hasHome(row, genuine, pages))
      return logFlaw("reordered", expected, `its event stands at position ${genuine.position}`);
    const last = genuine.position - 1;
    return logFlaw(
      "inserted",
      expected,
      `the event that was written here stands at position ${genuine.position}`,
      last,
    );
  }
  const gone = next ? rowsTakenOut(row, next) : 0;
  if (gone > 0) return logFlaw("deleted", expected, `${gone} were taken out and the rest was numbered anew`);
  return logFlaw("altered", expected, "another row stands in its place");
}

/** True when the successor was chained to this row as it is stored, or as its content says: then only this row was touched. */
function isFollowed(previous: Place, row: LogRow, next: LogRow): boolean {
  const canonical = canonicalRow(next);
  return chainHash(row.hash, canonical) === next.hash || chainHash(contentHash(previous, row), canonical) === next.hash;
}

const contentHash = (previous: Place, row: LogRow): string => chainHash(previous.hash, canonicalRow(row));

const fits = (row: LogRow, position: number, previousHash: string): boolean =>
  chainHash(previousHash, canonicalRow({ ...row, position })) === row.hash;

/** The row that was written after `previous`, wherever it stands now. */
async function findGenuine(previous: Place, pages: RowPages): Promise<LogRow | undefined> {
  for await (const row of rest(previous.position, pages))
    if (fits(row, previous.position + 1, previous.hash)) return row;
  return undefined;
}

/** True when `row` was written at another position of this log: then it was moved, not made. */
async function hasHome(row: LogRow, genuine: LogRow, pages: RowPages): Promise<boolean> {
  if (fits(row, row.position + 1, genuine.hash)) return true;
  let before = row.hash;
  for await (const other of rest(row.position, pages)) {
    if (fits(row, other.position, before) || fits(row, other.position, other.hash)) return true;
    before = other.hash;
  }
  return false;
}

/** How many rows stood between what was before `row` and `row`, going by where its successor was written. */
function rowsTakenOut(row: LogRow, next: LogRow): number {
  for (let gone = 1; gone <= CLOSED_UP_MAX; gone++) if (fits(next, next.position + gone, row.hash)) return gone;
  return 0;
}

async function* rest(after: number, pages: RowPages): AsyncGenerator<LogRow> {
  for (let position = after; ; ) {
    const page = await pages(position);
    yield* page;
    const last = page.at(-1);
    if (!last) return;
    position = last.position;
  }
}
