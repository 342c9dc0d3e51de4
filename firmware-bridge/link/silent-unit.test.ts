import { afterEach, beforeEach, expect, test } from "vitest";
import type { Link } from "./link.ts";
import { answerTo } from "./testing/answers.ts";
import { clock, openLink, REPLY_WAIT_MS, rtuConfig, until } from "./testing/link-bench.ts";
import { type Behaviour, heldBack, RtuSlave } from "./testing/rtu-slave.ts";
import { virtualBench, virtualConfig } from "./testing/virtual-bench.ts";

const UNITS = [1, 2, 3];
/** Of virtual time, per run. */
const RUN_MS = 2000;
/** Answers after a drive's usual work. */
const working: Behaviour = (request) => [{ afterMs: 1, bytes: answerTo(request) }];
const withSilent =
  (unit: number): Behaviour =>
  (request, n) =>
    request[0] === unit ? [] : working(request, n);

let slave: RtuSlave;
let link: Link;
beforeEach(async () => {
  slave = new RtuSlave(working);
  link = await openLink(rtuConfig(slave.path, REPLY_WAIT_MS));
});
afterEach(async () => {
  await link.close();
  slave.close();
});

// In virtual time: a rate that is measured tells of the machine's other work, too.
test("one silent unit of three leaves the others at least nine tenths of their rate", async () => {
  const bench = await virtualBench(virtualConfig({ stopWaitMaxMs: REPLY_WAIT_MS }), UNITS, { turnaroundMs: 1 });
  let good = 0;
  let asked = 0;
  let over = false;
  bench.wire.onRequest = (_atMs, [unit]) => void (unit === 3 && asked++);
  // Polls all three units as fast as the line lets them.
  const pollers = UNITS.map(async (unit) => {
    while (!over) {
      const request = { fn: "read", address: 100, quantity: 10 } as const;
      const done = await bench.line.transact(unit, request, { class: "poll" }).catch(() => undefined);
      if (done && unit !== 3) good++;
      // A refused poll is asked again when a caller would: a poll period later.
      if (!done) await new Promise<void>((resolve) => bench.clock.after(20, resolve));
    }
  });
  await bench.clock.advance(RUN_MS);
  const healthy = good;
  bench.drives.silent.add(3);
  [good, asked] = [0, 0];
  await bench.clock.advance(RUN_MS);
  expect(asked).toBeGreaterThan(0);
  expect(asked).toBeLessThanOrEqual(3 + good / 50);
  expect(good / healthy).toBeGreaterThanOrEqual(0.9);
  bench.drives.silent.clear();
  while (bench.line.breaker(3) !== "closed") await bench.clock.advance(10);
  over = true;
  await bench.clock.advance(RUN_MS);
  await Promise.all(pollers);
});

test("a silent unit comes back by itself on a line that is never idle", async () => {
  slave.behaviour = withSilent(3);
  for (let i = 0; i < 3; i++) {
    await link.transact(3, { fn: "read", address: i, quantity: 1 }, { class: "poll" }).catch(() => undefined);
  }
  slave.behaviour = working;
  let stop = false;
  const flood = [...Array(8).keys()].map(async (i) => {
    const request = { fn: "read", address: i, quantity: 1 } as const;
    while (!stop) {
      const done = await link.transact(1 + (i % 2), request, { class: "poll" }).catch(() => undefined);
      // A refusal comes at once: the loop must turn for anything else to happen.
      if (!done) await new Promise<void>((resolve) => clock.soon(resolve));
    }
  });
  await until(() => link.breaker(3) === "closed", "probed in spite of the flood");
  stop = true;
  await Promise.all(flood);
});

test("the stops of drives that listen do not wait for one that is silent", async () => {
  const held = heldBack();
  const others = withSilent(1);
  slave.behaviour = (request, n) => (request[1] === 3 ? held.behaviour : others)(request, n);
  await link.transact(1, { fn: "read", address: 1, quantity: 1 }, { class: "poll" }).catch(() => undefined);
  slave.requests.length = 0;
  const poll = link.transact(2, { fn: "read", address: 1, quantity: 1 }, { class: "poll" });
  await until(() => slave.requests.length >= 1, "a poll under way");
  const stops = [1, 2, 3].map((unit) =>
    link.transact(unit, { fn: "write", address: 9, value: 1 }, { class: "stop" }).then(
      () => "acknowledged",
      (error: { code: string }) => error.code,
    ),
  );
  held.release(slave);
  expect(await Promise.all(stops)).toEqual(["no-reply", "acknowledged", "acknowledged"]);
  expect(slave.requests.map((request) => request[0])).toEqual([2, 2, 3, 1]);
  // It may have given up on a host that looked away; the stops are what this is about.
  await poll.catch(() => undefined);
});
