import { afterEach, beforeEach, expect, test } from "vitest";
import type { Link } from "./link.ts";
import { openLink, rtuConfig } from "./testing/link-bench.ts";
import { RtuSlave } from "./testing/rtu-slave.ts";

let slave: RtuSlave;
let link: Link;

beforeEach(async () => {
  slave = new RtuSlave();
  link = await openLink(rtuConfig(slave.path));
});
afterEach(async () => {
  await link.close();
  slave.close();
});

test("registers are read and written over a real pty", async () => {
  const read = await link.transact(1, { fn: "read", address: 100, quantity: 3 }, { class: "poll" });
  expect(read.registers).toEqual([100, 101, 102]);
  expect(read.frames.map((frame) => frame.direction)).toEqual(["tx", "rx"]);
  expect(read.frames[0]?.hex).toBe("0103006400034414");
  await link.transact(1, { fn: "write", address: 5, value: 0x1234 }, { class: "command" });
  await link.transact(1, { fn: "write-many", address: 5, values: [1, 2] }, { class: "command" });
  expect(slave.requests.map((request) => request[1])).toEqual([3, 6, 16]);
});
