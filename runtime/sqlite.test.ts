import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { assertThreadPool, SqliteDatabase } from "./sqlite.ts";

let directory = "";
let database: SqliteDatabase;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "sqlite-"));
  database = await SqliteDatabase.open(join(directory, "a.db"));
  await database.exec("CREATE TABLE t(n INTEGER PRIMARY KEY, x TEXT) STRICT");
});
afterEach(async () => {
  await database.close();
  await rm(directory, { recursive: true, force: true });
});
const rows = () => database.all<{ n: number; x: string }>("SELECT n, x FROM t ORDER BY n");

test("statements run in the order they were asked, and say what they changed", async () => {
  const asked = ["a", "b", "c"].map((x) => database.run("INSERT INTO t(x) VALUES (?)", [x]));
  expect(await rows()).toEqual([
    { n: 1, x: "a" },
    { n: 2, x: "b" },
    { n: 3, x: "c" },
  ]);
  expect((await Promise.all(asked)).at(-1)).toEqual({ lastId: 3, changes: 1 });
});

test("a batch is whole or not at all, and nobody else's statement slips into it", async () => {
  const failing = database.batch([
    { sql: "INSERT INTO t VALUES (1, 'mine')" },
    { sql: "INSERT INTO t VALUES (1, 'again')" },
  ]);
  const other = database.run("INSERT INTO t VALUES (7, 'other')");
  await expect(failing).rejects.toMatchObject({ name: "SqliteError", code: "SQLITE_CONSTRAINT" });
  await other;
  expect(await rows()).toEqual([{ n: 7, x: "other" }]);
  await database.batch([
    { sql: "INSERT INTO t VALUES (?, ?)", params: [8, "x"] },
    { sql: "DELETE FROM t WHERE n = 7" },
  ]);
  expect(await rows()).toEqual([{ n: 8, x: "x" }]);
});

test("a text that is no SQL fails each time it is asked and harms nothing", async () => {
  for (let i = 0; i < 3; i++) await expect(database.all("SELEKT 1")).rejects.toMatchObject({ code: "SQLITE_ERROR" });
  expect(await rows()).toEqual([]);
});

test("more different texts than are kept prepared all work", async () => {
  for (let i = 0; i < 200; i++) expect(await database.get(`SELECT ${i} AS i`)).toEqual({ i });
});

test("a file that is no database says so", async () => {
  await writeFile(join(directory, "b.db"), "text ".repeat(1000));
  const other = await SqliteDatabase.open(join(directory, "b.db"));
  await expect(other.all("SELECT * FROM sqlite_schema")).rejects.toMatchObject({ code: "SQLITE_NOTADB" });
  await other.close();
  await expect(SqliteDatabase.open(join(directory, "none", "c.db"))).rejects.toMatchObject({ code: "SQLITE_CANTOPEN" });
});

test("closing waits for what was asked and refuses what comes after", async () => {
  const asked = database.run("INSERT INTO t VALUES (1, 'a')");
  const closing = database.close();
  await expect(database.all("SELECT 1")).rejects.toMatchObject({ code: "sqlite-closed" });
  await asked;
  await closing;
  await database.close();
});

test("a process with too few pool threads is told how to start", () => {
  expect(() => assertThreadPool({})).toThrow(/UV_THREADPOOL_SIZE is 4/);
  expect(() => assertThreadPool({ UV_THREADPOOL_SIZE: "16" })).not.toThrow();
});
