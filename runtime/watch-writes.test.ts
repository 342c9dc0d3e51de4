import { appendFileSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { watchWrites } from "./watch-writes.ts";

const LIMIT = { timeout: 20_000, interval: 5 };
let directory = "";
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "watch-writes-"));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

test("writes to a file are told, also to one that comes later and is made anew, and those to others are not", async () => {
  const file = join(directory, "events.db-wal");
  let writes = 0;
  const end = watchWrites(file, () => writes++);
  for (let made = 1; made <= 2; made++) {
    const before = writes;
    writeFileSync(file, "frames");
    await vi.waitFor(() => expect(writes).toBeGreaterThan(before), LIMIT);
    rmSync(file);
  }
  let others = 0;
  const endOthers = watchWrites(join(directory, "telemetry.db-wal"), () => others++);
  const before = writes;
  appendFileSync(file, "more");
  await vi.waitFor(() => expect(writes).toBeGreaterThan(before), LIMIT);
  expect(others).toBe(0);
  end();
  endOthers();
});

test("a directory that cannot be watched is silent", () => {
  watchWrites(join(directory, "missing", "events.db-wal"), () => undefined)();
});
