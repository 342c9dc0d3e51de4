import { spawnSync } from "node:child_process";
import { mkdirSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openLogReader } from "@servofleet/runtime/log-reader";
import { systemClock, systemRandom } from "@servofleet/runtime/system-clock";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { newEvent } from "./event-log.contract.ts";
import { verifyLog } from "./log-verify.ts";
import { openEventLog } from "./open-event-log.ts";
import { WriterProcess } from "./testing/writer-process.ts";

const ROUNDS = 10;
const ROUND_LIMIT = { timeout: 60_000, interval: 2 };
const clock = systemClock();
const hasStrace = spawnSync("strace", ["-e", "trace=none", "true"], { stdio: "ignore" }).status === 0;
let directory = "";
const children: WriterProcess[] = [];
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "log-crash-"));
});
afterEach(async () => {
  for (const child of children.splice(0)) {
    child.kill();
    await child.ended();
  }
  await rm(directory, { recursive: true, force: true });
});

function writer(options: { under?: readonly string[]; inFlight?: number } = {}): WriterProcess {
  const child = new WriterProcess(directory, options);
  children.push(child);
  return child;
}
const file = () => join(directory, "events.db");

/** Every acknowledged event is in the log at the position that was told, and the chain holds. */
async function expectAllThere(acked: ReadonlyMap<string, number>): Promise<void> {
  const reader = await openLogReader({ file: file(), clock });
  const stored = new Map<string, number>();
  let position = 0;
  for (;;) {
    const page = await reader.readAfter(position, 1000);
    for (const event of page) {
      expect(event.position).toBe(++position);
      stored.set(event.id, event.position);
    }
    if (page.length < 1000) break;
  }
  await reader.close();
  const lost = [...acked].filter(([id, at]) => stored.get(id) !== at);
  expect(lost).toEqual([]);
  // Two events were asked for at a time: a batch is there whole or not at all.
  expect(stored.size % 2).toBe(0);
  expect(await verifyLog(file(), clock)).toMatchObject({ ok: true, firstBad: null });
}

test(`a writer killed under load ${ROUNDS} times over has lost nothing that it acknowledged`, {
  timeout: 300_000,
}, async () => {
  const acked = new Map<string, number>();
  for (let round = 1; round <= ROUNDS; round++) {
    const child = writer();
    // Killed after another number of acknowledgements each time, in whatever it is just doing.
    await vi.waitFor(() => expect(child.acked.size, child.errors).toBeGreaterThan(20 + 37 * round), ROUND_LIMIT);
    child.kill();
    await child.ended();
    expect(child.lines).toEqual([`open ${round}`]);
    for (const [id, position] of child.acked) acked.set(id, position);
    await expectAllThere(acked);
  }
});

test.skipIf(!hasStrace)(
  "a writer whose fsync failed once never writes again, and its successor finds all that was acknowledged",
  { timeout: 120_000 },
  async () => {
    // strace counts for each thread: more than the opening's seven, should one thread of the pool take them all.
    const inject = "inject=fsync,fdatasync:error=EIO:when=12";
    const child = writer({
      under: ["strace", "-f", "-qq", "-o", "/dev/null", "-e", "trace=fsync,fdatasync", "-e", inject],
    });
    expect(await child.ended()).toBe(70);
    expect(child.lines).toContain("error log-poisoned");
    expect(child.lines.filter((line) => line.startsWith("again"))).not.toContain("again written");
    expect(child.acked.size).toBeGreaterThan(0);
    await expectAllThere(child.acked);
    const successor = await openEventLog({ directory, clock, random: systemRandom(), box: "press_1" });
    await successor.append([newEvent("axis-a0", "after"), newEvent("axis-a0", "restart")]);
    await successor.close();
    await expectAllThere(child.acked);
  },
);

test("a second writer process is refused, and the kernel lets the next one in when the first is killed", {
  timeout: 120_000,
}, async () => {
  const first = writer({ inFlight: 1 });
  await vi.waitFor(() => expect(first.lines, first.errors).toContain("open 1"), ROUND_LIMIT);
  const second = writer({ inFlight: 1 });
  expect(await second.ended()).not.toBe(0);
  expect(second.errors).toContain("log-in-use");
  first.kill();
  await first.ended();
  const third = await openEventLog({ directory, clock, random: systemRandom(), box: "press_1" });
  expect(third.epoch).toBe(2);
  await third.close();
});

const SMALL_DISK_BYTES = 2 * 1024 * 1024;
const mounted = (where: string) =>
  spawnSync("mount", ["-t", "tmpfs", "-o", `size=${SMALL_DISK_BYTES}`, "tmpfs", where], { stdio: "ignore" }).status ===
  0;

test("a small disk that runs full keeps what it acknowledged and goes on when there is room", {
  timeout: 120_000,
}, async (context) => {
  const disk = join(directory, "disk");
  mkdirSync(disk);
  if (!mounted(disk)) return context.skip();
  try {
    const log = await openEventLog({ directory: disk, clock, random: systemRandom(), box: "press_1", reserveBytes: 0 });
    const filler = join(disk, "filler");
    spawnSync("dd", ["if=/dev/zero", `of=${filler}`, "bs=64k", "count=20"], { stdio: "ignore" });
    let acked = 0;
    let code = "";
    while (code === "")
      await log.append(Array.from({ length: 50 }, () => newEvent("axis-a", "y".repeat(400)))).then(
        (events) => {
          acked += events.length;
        },
        (error: { code: string }) => {
          code = error.code;
        },
      );
    expect(code).toBe("log-full");
    expect(log.trouble).toBe("log-full");
    expect(log.position).toBe(acked);
    await rm(filler);
    await vi.waitFor(() => expect(log.trouble).toBeNull(), ROUND_LIMIT);
    const [next] = await log.append([newEvent("axis-a", "room again")]);
    expect(next?.position).toBe(acked + 1);
    await log.close();
    expect(await verifyLog(join(disk, "events.db"), clock)).toMatchObject({ ok: true, events: acked + 1 });
  } finally {
    spawnSync("umount", [disk], { stdio: "ignore" });
  }
});
