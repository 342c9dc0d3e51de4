import { afterEach, beforeEach, expect, test } from "vitest";
import type { Link } from "./link.ts";
import { openLink, rtuConfig, until } from "./testing/link-bench.ts";
import { obedient, RtuSlave } from "./testing/rtu-slave.ts";

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

const read = (address: number) => link.transact(1, { fn: "read", address, quantity: 1 }, { class: "poll" });
const codeOf = (done: Promise<unknown>) =>
  done.then(
    () => "done",
    (error: { code: string; sent: boolean }) => `${error.code}${error.sent ? " (sent)" : ""}`,
  );

test("an adapter pulled out while idle is noticed, and works again after it is plugged in at the same path", async () => {
  expect((await read(1)).registers).toEqual([1]);
  const states: boolean[] = [];
  link.onState((up) => states.push(up));
  for (let round = 0; round < 3; round++) {
    slave.unplug();
    await until(() => !link.up, "noticed");
    expect(await codeOf(read(1))).toBe("link-down");
    slave.plug();
    await until(() => link.up, "opened again");
    expect((await read(2)).registers).toEqual([2]);
  }
  expect(states).toEqual([false, true, false, true, false, true]);
});

test("an adapter pulled out with a request under way fails it as unknown and the waiting ones as not sent", async () => {
  slave.behaviour = () => {
    slave.unplug();
    return [];
  };
  const write = (value: number) => link.transact(1, { fn: "write", address: 1, value }, { class: "command" });
  const codes = await Promise.all([write(1), write(2), read(3)].map(codeOf));
  expect(codes).toEqual(["link-lost (sent)", "link-down", "link-down"]);
  slave.behaviour = obedient;
  slave.plug();
  await until(() => link.up, "opened again");
  expect(slave.requests.length).toBe(1);
});

test("closing settles everything that waits, and a closed link stays closed", async () => {
  slave.behaviour = () => [];
  const pending = Promise.all([read(1), read(2), read(3)].map(codeOf));
  await until(() => slave.requests.length === 1, "one under way");
  await link.close();
  expect(await pending).toEqual(["link-lost (sent)", "closed", "closed"]);
  expect(await codeOf(read(4))).toBe("closed");
  await link.close();
});

test("closing while the port is being opened leaves nothing open", async () => {
  const { createLink } = await import("./create-link.ts");
  const { clock, random } = await import("./testing/link-bench.ts");
  const other = new RtuSlave();
  const log = { info: () => undefined, warn: () => undefined };
  const early = createLink(rtuConfig(other.path), { clock, random, units: [], log });
  early.open();
  await early.close();
  expect(early.up).toBe(false);
  const again = await openLink(rtuConfig(other.path));
  expect((await again.transact(9, { fn: "read", address: 5, quantity: 1 }, { class: "poll" })).registers).toEqual([5]);
  await again.close();
  other.close();
});

test("a device that another process holds is refused with the reason", async () => {
  const { createLink } = await import("./create-link.ts");
  const { clock, random } = await import("./testing/link-bench.ts");
  const log = { info: () => undefined, warn: () => undefined };
  const second = createLink(rtuConfig(slave.path), { clock, random, units: [], log });
  second.open();
  await until(() => second.downReason !== "not opened yet", "refused");
  expect(second.downReason).toMatch(/lock/i);
  expect((await read(7)).registers).toEqual([7]);
  await second.close();
});
