import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import type { ReportMessage } from "@servofleet/contracts";
import { FakeClock } from "@servofleet/runtime/fake-clock";
import { expect, it } from "vitest";
import { LogError } from "../event-log/event-log.ts";
import { ReportInbox } from "./report-inbox.ts";

const BOOT = "boot-1";
const report = (seq: number) => ({ bridgeBoot: BOOT, seq }) as ReportMessage;
const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

function inboxOf(handle: (message: ReportMessage) => Promise<unknown>) {
  const logger = { info: () => undefined, warn: () => undefined, error: () => undefined };
  return new ReportInbox({ clock: new FakeClock(), logger, handle, onJump: () => undefined });
}

it("counts a report as seen only when it and all before it are on disk", async () => {
  const first = Promise.withResolvers<void>();
  const inbox = inboxOf(({ seq }) => (seq === 1 ? first.promise : Promise.resolve()));
  inbox.take(report(1));
  inbox.take(report(2));
  await turn();
  expect(inbox.seen(BOOT)).toBe(0);
  first.resolve();
  await turn();
  expect(inbox.seen(BOOT)).toBe(2);
});

it("wants every report again from the one that a full disk has refused", async () => {
  const taken: number[] = [];
  let full = true;
  const inbox = inboxOf(async ({ seq }) => {
    taken.push(seq);
    if (full && seq === 2) throw new LogError("log-full", {}, "make room");
  });
  for (const seq of [1, 2, 3]) inbox.take(report(seq));
  await turn();
  expect(inbox.seen(BOOT)).toBe(1);
  full = false;
  for (const seq of [2, 3]) inbox.take(report(seq));
  await turn();
  expect(inbox.seen(BOOT)).toBe(3);
  expect(taken).toEqual([1, 2, 3, 2, 3]);
});

it("keeps nothing of what is on disk", async () => {
  const recorded: WeakRef<object>[] = [];
  const inbox = inboxOf(async () => {
    const made = { frames: new Array(100).fill("010302004639b6") };
    recorded.push(new WeakRef(made));
    return made;
  });
  for (let seq = 1; seq <= 500; seq++) {
    inbox.take(report(seq));
    await turn();
  }
  setFlagsFromString("--expose-gc");
  (runInNewContext("gc") as () => void)();
  expect(recorded.filter((made) => made.deref() !== undefined).length).toBeLessThan(10);
});
