import { afterEach, beforeEach, expect, test } from "vitest";
import type { Link } from "./link.ts";
import { answerTo } from "./testing/answers.ts";
import { clock, openLink, rtuConfig, until } from "./testing/link-bench.ts";
import { type Behaviour, heldBack, RtuSlave } from "./testing/rtu-slave.ts";

/** Good polls of the two others per run. */
const POLLS = 400;
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
  link = await openLink(rtuConfig(slave.path));
});
afterEach(async () => {
  await link.close();
  slave.close();
});

/** Polls all three units as fast as the line lets them until units 1 and 2 have their share; returns their polls per second. */
async function othersRate(): Promise<number> {
  let good = 0;
  const startMs = clock.monotonicMs();
  const poller = async (unit: number) => {
    while (good < POLLS) {
      const done = await link
        .transact(unit, { fn: "read", address: 100, quantity: 10 }, { class: "poll" })
        .catch(() => undefined);
      if (done && unit !== 3) good++;
      // A refused poll is asked again when a caller would: a poll period later.
      if (!done) await new Promise<void>((resolve) => clock.after(20, resolve));
    }
  };
  await Promise.all([1, 2, 3].map(poller));
  return (good * 1000) / (clock.monotonicMs() - startMs);
}

test("one silent unit of three leaves the others at least nine tenths of their rate", async () => {
  const healthy = await othersRate();
  slave.behaviour = withSilent(3);
  slave.requests.length = 0;
  const impaired = await othersRate();
  const asked = slave.requests.filter((request) => request[0] === 3).length;
  expect(asked).toBeGreaterThan(0);
  expect(asked).toBeLessThanOrEqual(3 + POLLS / 50);
  expect(impaired / healthy).toBeGreaterThanOrEqual(0.9);
  slave.behaviour = working;
  await until(() => link.breaker(3) === "closed", "the unit is back by itself");
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
  await poll;
});
