import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { FakeClock } from "@servofleet/runtime/fake-clock";
import { acquireLockFile } from "@servofleet/runtime/lock-file";
import { systemClock } from "@servofleet/runtime/system-clock";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { BoxInUseError, lockBox, PREDECESSOR_LIMIT_MS } from "./box-lock.ts";
import { dataPaths, prepareDataDirectories } from "./data-paths.ts";

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "lock-"));
  prepareDataDirectories(dataPaths(directory));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

test("one box per data directory: the second is refused by name of the first's process, and may come after it", async () => {
  const paths = dataPaths(directory);
  const first = await lockBox(paths, systemClock(), () => undefined);
  const refused = await lockBox(paths, systemClock(), () => undefined).catch((error: unknown) => error);
  expect(refused).toBeInstanceOf(BoxInUseError);
  expect(refused).toMatchObject({ facts: { owner: String(process.pid) } });
  await first.release();
  await (await lockBox(paths, systemClock(), () => undefined)).release();
});

test("a log that is still written is waited for, which is told once", async () => {
  const paths = dataPaths(directory);
  const log = await acquireLockFile(join(directory, "events.lock"));
  const notes: string[] = [];
  const locked = lockBox(paths, systemClock(), (text) => notes.push(text));
  await vi.waitFor(() => expect(notes).toHaveLength(1), 60_000);
  await log.release();
  await (await locked).release();
  expect(notes).toEqual([expect.stringContaining("waiting until it has stopped its axes")]);
});

test("a log that somebody goes on writing ends the wait after its limit, and the box's own lock is free again", async () => {
  const paths = dataPaths(directory);
  const log = await acquireLockFile(join(directory, "events.lock"));
  const clock = new FakeClock();
  const refused = lockBox(paths, clock, () => undefined).catch((error: unknown) => error);
  let ended = false;
  void refused.then(() => (ended = true));
  await vi.waitFor(
    async () => {
      await clock.advance(PREDECESSOR_LIMIT_MS / 10);
      expect(ended).toBe(true);
    },
    { timeout: 60_000 },
  );
  expect(await refused).toBeInstanceOf(BoxInUseError);
  await log.release();
  await (await lockBox(paths, systemClock(), () => undefined)).release();
});
