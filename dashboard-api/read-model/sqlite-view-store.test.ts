import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { SqliteDatabase } from "@servofleet/runtime/sqlite";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { Projection } from "./projection.ts";
import { RESIDENT_ROWS, SqliteViewStore, viewFile } from "./sqlite-view-store.ts";

interface Row {
  readonly rank: number;
  readonly done: boolean;
}
const view: Projection<Row> = {
  name: "things",
  version: 1,
  refersTo: () => null,
  project: () => [],
  rank: (row) => row.rank,
  settled: (row) => row.done,
  residentMax: 3,
};

let directory = "";
let store: SqliteViewStore<Row>;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "views-"));
  store = await SqliteViewStore.open(directory, view);
});
afterEach(async () => {
  await store.close();
  await rm(directory, { recursive: true, force: true });
});

const save = (rows: readonly Row[]) =>
  store.save(
    0,
    { logId: "log", position: 1, hash: "" },
    rows.map((row) => [`k${row.rank}`, row]),
  );

test("what comes back at a start is what is still open and the newest of the rest, in order of rank", async () => {
  const open = new Set([2, 5, 19]);
  await save(Array.from({ length: 20 }, (_, rank) => ({ rank, done: !open.has(rank) })));
  const { rows, floorRank } = await store.resident();
  expect(rows.map(([, { rank }]) => rank)).toEqual([2, 5, 17, 18, 19]);
  expect(floorRank).toBe(17);
});

test("a view that is smaller than its place in memory comes back whole", async () => {
  await save([
    { rank: 7, done: true },
    { rank: 3, done: false },
  ]);
  const { rows, floorRank } = await store.resident();
  expect(rows.map(([key]) => key)).toEqual(["k3", "k7"]);
  expect(floorRank).toBe(0);
});

test("a start finds its rows by an index, however long the history is", async () => {
  const db = await SqliteDatabase.open(viewFile(directory, view), { readOnly: true });
  for (const sql of RESIDENT_ROWS) {
    const plan = await db.all<{ detail: string }>(`EXPLAIN QUERY PLAN ${sql}`, [0]);
    expect(plan[0]?.detail).toMatch(/^SEARCH rows USING INDEX/);
    expect(plan.map(({ detail }) => detail).join()).not.toContain("SCAN");
  }
  await db.close();
});
