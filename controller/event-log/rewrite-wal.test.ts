import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { rewriteWal } from "./rewrite-wal.ts";

async function database(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), "rewrite-wal-"));
  onTestFinished(() => rm(directory, { recursive: true, force: true }));
  return join(directory, "events.db");
}

test("a write-ahead file is the same bytes afterwards, whatever its length", async () => {
  const file = await database();
  for (const length of [0, 1, 1024 * 1024, 2_500_001]) {
    const bytes = Buffer.from(Array.from({ length }, (_, n) => (n * 31 + (n >> 8)) & 0xff));
    await writeFile(`${file}-wal`, bytes);
    await rewriteWal(file);
    expect((await readFile(`${file}-wal`)).equals(bytes)).toBe(true);
  }
});

test("a log without one needs nothing", async () => {
  const file = await database();
  await rewriteWal(file);
  await expect(readFile(`${file}-wal`)).rejects.toMatchObject({ code: "ENOENT" });
});
