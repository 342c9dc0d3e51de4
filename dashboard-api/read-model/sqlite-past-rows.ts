import { deflateRawSync, inflateRawSync } from "node:zlib";
import { assert } from "@servofleet/runtime/assert";
import type { SqliteConnection, SqliteStatement } from "@servofleet/runtime/sqlite";
import type { PastBatch, RowQuery, Snapshot } from "./view-store.ts";

/** Beside the rows: what they were before they changed once more, and where a fold can start. */
export const PAST_TABLES = `
CREATE TABLE IF NOT EXISTS former(
  key TEXT NOT NULL, until INTEGER NOT NULL, rank INTEGER NOT NULL, json TEXT NOT NULL, PRIMARY KEY(key, until)
) STRICT;
CREATE INDEX IF NOT EXISTS former_rank ON former(rank);
CREATE TABLE IF NOT EXISTS snapshots(position INTEGER PRIMARY KEY, hash TEXT NOT NULL, rows BLOB NOT NULL) STRICT;`;

const PUT_FORMER = `INSERT INTO former(key, until, rank, json)
  SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3 FROM json_each(?) WHERE true
  ON CONFLICT(key, until) DO UPDATE SET json = excluded.json`;
const PUT_SNAPSHOT = "INSERT OR REPLACE INTO snapshots(position, hash, rows) VALUES (?, ?, ?)";
const SNAPSHOT_BEFORE = "SELECT position, hash, rows FROM snapshots WHERE position <= ? ORDER BY position DESC LIMIT 1";
/** Rows open at the snapshot repeat from one to the next: they shrink to about a tenth even at the fastest level. */
const FASTEST = { level: 1 };

/** Of one key: the oldest version that lasted beyond position ?1. */
const FORMER_AT = `SELECT key, rank, json FROM former
  WHERE until = (SELECT min(until) FROM former AS later WHERE later.key = former.key AND later.until > ?1)`;
const UNCHANGED_SINCE = `SELECT key, rank, json FROM rows
  WHERE NOT EXISTS (SELECT 1 FROM former WHERE former.key = rows.key AND former.until > ?1)`;

export interface StoredRow {
  readonly key: string;
  readonly rank: number;
  readonly json: string;
}
export const parsed = <Row>(row: StoredRow): [string, Row] => [row.key, JSON.parse(row.json) as Row];

/** The conditions of a list as SQL, and their values. */
export function conditionsOf(where: RowQuery["where"]): { sql: string; values: (string | number)[] } {
  const fields = Object.entries(where);
  for (const [field] of fields) assert(/^[a-zA-Z]+$/.test(field), `a field name: ${field}`);
  const tests = fields.map(
    ([field, value]) => ` AND json ->> '$.${field}' ${typeof value === "string" ? "=" : ">="} ?`,
  );
  return { sql: tests.join(""), values: fields.map(([, value]) => value) };
}

/** What a stretch of the log leaves behind for the past, as statements of the transaction that saves its rows. */
export function pastStatements<Row>(past: PastBatch<Row>, rank: (row: Row) => number): SqliteStatement[] {
  const former = past.former.map(({ key, until, row }) => [key, until, rank(row), JSON.stringify(row)]);
  return [
    ...(former.length > 0 ? [{ sql: PUT_FORMER, params: [JSON.stringify(former)] }] : []),
    ...past.snapshots.map(({ position, hash, rows }) => ({
      sql: PUT_SNAPSHOT,
      params: [position, hash, deflateRawSync(JSON.stringify(rows), FASTEST)],
    })),
  ];
}

export async function snapshotBefore<Row>(db: SqliteConnection, position: number): Promise<Snapshot<Row> | null> {
  const found = await db.get<{ position: number; hash: string; rows: Uint8Array }>(SNAPSHOT_BEFORE, [position]);
  return found ? { ...found, rows: JSON.parse(inflateRawSync(found.rows).toString()) as Snapshot<Row>["rows"] } : null;
}

/** A list of rows as they were at `position`, newest rank first. */
export async function rowsAt<Row>(
  db: SqliteConnection,
  position: number,
  { beforeRank, limit, where }: RowQuery,
): Promise<[string, Row][]> {
  const { sql, values } = conditionsOf(where);
  const found: StoredRow[] = [];
  for (const rows of [UNCHANGED_SINCE, FORMER_AT])
    found.push(
      ...(await db.all<StoredRow>(`${rows} AND rank < ?${sql} ORDER BY rank DESC LIMIT ?`, [
        position,
        beforeRank,
        ...values,
        limit,
      ])),
    );
  const newestFirst = found.sort((a, b) => b.rank - a.rank);
  return newestFirst.slice(0, limit).map((row) => parsed<Row>(row));
}

export async function rowAt<Row>(db: SqliteConnection, position: number, key: string): Promise<Row | undefined> {
  for (const rows of [FORMER_AT, UNCHANGED_SINCE]) {
    const row = await db.get<StoredRow>(`${rows} AND key = ?2`, [position, key]);
    if (row) return parsed<Row>(row)[1];
  }
  return undefined;
}
