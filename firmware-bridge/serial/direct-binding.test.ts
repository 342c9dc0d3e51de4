import { execFileSync } from "node:child_process";
import { close, closeSync, mkdtempSync, open, openSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import modbusSerial from "modbus-serial";
import { afterEach, beforeEach, expect, test } from "vitest";
import { openLink, rtuConfig, until } from "../link/testing/link-bench.ts";
import { RtuSlave } from "../link/testing/rtu-slave.ts";

/** More than the pool has threads. */
const BLOCKERS = 64;
let slave: RtuSlave;
let dir: string;
beforeEach(() => {
  slave = new RtuSlave();
  dir = mkdtempSync(join(tmpdir(), "servofleet-pool-"));
});
afterEach(() => {
  slave.close();
  rmSync(dir, { recursive: true });
});

/** Holds every thread of libuv's pool (opening a fifo waits for its writer) while `use` runs. */
async function withBlockedPool(use: () => Promise<void>): Promise<void> {
  const fifo = join(dir, "fifo");
  execFileSync("mkfifo", [fifo]);
  let waiting = BLOCKERS;
  for (let i = 0; i < BLOCKERS; i++) {
    open(fifo, "r", (_error, fd) => close(fd, () => waiting--));
  }
  try {
    await use();
    expect(waiting).toBe(BLOCKERS);
  } finally {
    const held: number[] = [];
    // Later openers wait for a writer too: there is one until all are through.
    held.push(openSync(fifo, "r+"));
    await until(() => waiting === 0, "pool free again");
    for (const fd of held) closeSync(fd);
  }
}

test("a line works while every thread of the pool is held", async () => {
  const link = await openLink(rtuConfig(slave.path));
  await withBlockedPool(async () => {
    for (let i = 0; i < 10; i++) {
      const done = await link.transact(1, { fn: "read", address: i, quantity: 1 }, { class: "command" });
      expect(done.registers).toEqual([i]);
    }
  });
  await link.close();
});

test("stock serialport stands still there", async () => {
  const client = new modbusSerial.default();
  await client.connectRTUBuffered(slave.path, { baudRate: 115_200 });
  client.setTimeout(100);
  await withBlockedPool(async () => {
    await expect(client.readHoldingRegisters(1, 1)).rejects.toMatchObject({ message: "Timed out" });
    expect(slave.requests.length).toBe(0);
  });
  await new Promise<void>((resolve) => client.close(() => resolve()));
});
