import { afterEach, beforeEach, expect, test } from "vitest";
import type { Link, TransactionClass } from "./link.ts";
import { answerTo, exceptionTo } from "./testing/answers.ts";
import { clock, openLink, REPLY_WAIT_MS, rtuConfig, until } from "./testing/link-bench.ts";
import { heldBack, obedient, RtuSlave } from "./testing/rtu-slave.ts";

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

/** A link that gives a silent unit up soon. */
async function impatient(): Promise<void> {
  await link.close();
  link = await openLink(rtuConfig(slave.path, REPLY_WAIT_MS));
}
const read = (unit: number, address: number, name: TransactionClass = "poll", more = {}) =>
  link.transact(unit, { fn: "read", address, quantity: 2 }, { class: name, ...more });
const write = (unit: number, value: number, name: TransactionClass, more = {}) =>
  link.transact(unit, { fn: "write", address: 1, value }, { class: name, ...more });
const codeOf = (done: Promise<unknown>) =>
  done.then(
    () => "done",
    (error: { code: string; sent: boolean }) => `${error.code}${error.sent ? " (sent)" : ""}`,
  );

test("registers are read and written over a real pty", async () => {
  const done = await link.transact(1, { fn: "read", address: 100, quantity: 3 }, { class: "poll" });
  expect(done.registers).toEqual([100, 101, 102]);
  expect(done.frames.map((frame) => frame.direction)).toEqual(["tx", "rx"]);
  expect(done.frames[0]?.hex).toBe("0103006400034414");
  await link.transact(1, { fn: "write", address: 5, value: 0x1234 }, { class: "command" });
  await link.transact(1, { fn: "write-many", address: 5, values: [1, 2] }, { class: "command" });
  expect(slave.requests.map((request) => request[1])).toEqual([3, 6, 16]);
});

test("a stop is the next frame whatever waits", async () => {
  const busy = [...Array(50).keys()].map((i) => read(1, i));
  const commands = [write(1, 1, "command"), write(2, 2, "command")];
  await until(() => slave.requests.length >= 1, "one under way");
  const seen = slave.requests.length;
  await write(3, 99, "stop");
  expect(slave.requests.findIndex((request) => request[0] === 3)).toBeLessThanOrEqual(seen + 1);
  await Promise.allSettled([...busy, ...commands]);
});

test("the last check before the first byte can refuse, and then nothing is sent", async () => {
  const refused = write(1, 5, "command", { beforeFirstByte: () => "stop generation 3 is newer" });
  await expect(refused).rejects.toMatchObject({
    code: "withdrawn",
    sent: false,
    facts: { reason: "stop generation 3 is newer" },
  });
  await read(1, 1);
  expect(slave.requests.length).toBe(1);
});

test("the caller learns of the first byte with the frame as it stands on the wire", async () => {
  const sent: { monotonicMs: number; frame: { hex: string } }[] = [];
  const done = await write(1, 0x0102, "command", { onSent: (at: (typeof sent)[0]) => sent.push(at) });
  expect(sent.map((at) => at.frame.hex)).toEqual([slave.requests[0]?.toString("hex")]);
  expect(sent[0]?.monotonicMs).toBe(done.startedMs);
  expect(done.endedMs).toBeGreaterThan(done.startedMs);
  expect(link.frames().map(({ direction, unit, hex }) => ({ direction, unit, hex }))).toEqual(
    done.frames.map(({ direction, hex }) => ({ direction, unit: 1, hex })),
  );
});

test("what cannot start before its deadline expires unsent", async () => {
  const held = heldBack();
  slave.behaviour = held.behaviour;
  const first = read(1, 1);
  await until(() => slave.requests.length >= 1, "one under way");
  const notAfterMs = clock.monotonicMs() + 1;
  const late = write(1, 2, "command", { notAfterMs });
  await until(() => clock.monotonicMs() > notAfterMs, "deadline over");
  held.release(slave);
  expect(await codeOf(late)).toBe("expired");
  await first;
  expect(slave.requests.length).toBe(1);
});

test("withdrawing a unit takes out all but its stops and leaves other units alone", async () => {
  const held = heldBack();
  slave.behaviour = held.behaviour;
  const first = read(2, 0);
  await until(() => slave.requests.length >= 1, "one under way");
  const all = [first, write(1, 1, "command"), read(1, 1, "confirm"), write(1, 9, "stop"), write(2, 3, "command")];
  link.withdraw(1, "stopped");
  held.release(slave);
  expect(await Promise.all(all.map(codeOf))).toEqual(["done", "withdrawn", "withdrawn", "done", "done"]);
});

test("a second poll of the same block is refused while the first waits", async () => {
  const codes = await Promise.all([read(1, 0), read(2, 10), read(2, 10), read(2, 20)].map(codeOf));
  expect(codes).toEqual(["done", "done", "queue-full", "done"]);
});

test("an exception says that the drive lives and refused", async () => {
  slave.behaviour = (request) => [{ afterMs: 0, bytes: exceptionTo(request, 2) }];
  for (let i = 0; i < 5; i++) {
    await expect(read(1, i)).rejects.toMatchObject({ code: "exception", facts: { exceptionCode: 2 } });
  }
  expect(link.breaker(1)).toBe("closed");
  expect(link.stats().errors.exception).toBe(5);
});

test("a corrupted answer is no answer", async () => {
  await impatient();
  slave.behaviour = (request) => {
    const bytes = answerTo(request);
    bytes[4] = (bytes[4] ?? 0) ^ 1;
    return [{ afterMs: 0, bytes }];
  };
  await expect(read(1, 1)).rejects.toMatchObject({ code: "no-reply", sent: true, facts: { crcErrors: 1 } });
  expect(link.stats().errors).toMatchObject({ crc: 1, timeout: 1 });
});

test("bytes while nobody asks are discarded and counted", async () => {
  slave.send(Uint8Array.of(1, 3, 4, 0, 0, 0, 0, 7, 7));
  await until(() => link.stats().errors.mismatch === 1, "counted");
  expect((await read(1, 8)).registers).toEqual([8, 9]);
});

test("an answer in pieces is put together", async () => {
  slave.behaviour = (request) => [...answerTo(request)].map((byte, i) => ({ afterMs: i, bytes: Uint8Array.of(byte) }));
  expect((await read(1, 8)).registers).toEqual([8, 9]);
});

test("a duplicated answer is counted and not taken for the next one's", async () => {
  slave.behaviour = (request) => [0, 0].map((afterMs) => ({ afterMs, bytes: answerTo(request) }));
  // As commands: a poll would learn how quick the unit is and give up on a hiccup of the host.
  for (let i = 0; i < 10; i++) expect((await read(1, i, "command")).registers).toEqual([i, i + 1]);
});

test("three silences open the breaker; stops and commands are tried once, polls refused; an answer closes it", async () => {
  await impatient();
  slave.behaviour = (request) => (request[0] === 2 ? [] : obedient(request, 0));
  for (let i = 0; i < 3; i++) expect(await codeOf(read(2, i))).toBe("no-reply (sent)");
  expect(link.breaker(2)).toBe("open");
  expect(await codeOf(read(2, 0))).toBe("breaker-open");
  expect(await codeOf(read(2, 0, "confirm"))).toBe("breaker-open");
  expect(await codeOf(write(2, 1, "command"))).toBe("no-reply (sent)");
  expect(await codeOf(write(2, 1, "stop"))).toBe("no-reply (sent)");
  slave.behaviour = obedient;
  await until(() => link.breaker(2) === "closed", "a probe was answered");
  expect((await read(2, 4)).registers).toEqual([4, 5]);
});

test("an answer that is there already counts, also when our own loop was too busy to read it in time", async () => {
  await impatient();
  slave.behaviour = (request) => {
    slave.send(answerTo(request));
    const untilMs = clock.monotonicMs() + REPLY_WAIT_MS + 100;
    while (clock.monotonicMs() < untilMs);
    return [];
  };
  expect((await read(1, 8)).registers).toEqual([8, 9]);
  expect(link.stats().errors.timeout).toBe(0);
});

test("noise that never ends keeps no stop back", async () => {
  const babble = clock.every(1, () => slave.send(Uint8Array.of(0x55)));
  await write(1, 7, "stop");
  babble.cancel();
  expect(slave.requests.at(-1)?.toString("hex").slice(0, 12)).toBe("010600010007");
});

test("a drive that refuses the longer read after a time-out is asked another question first", async () => {
  await impatient();
  slave.behaviour = (request, n) => {
    if (n === 0) return [];
    const overEnd = request.readUInt16BE(4) > 2;
    return [{ afterMs: 0, bytes: overEnd ? exceptionTo(request, 2) : answerTo(request) }];
  };
  expect(await codeOf(read(1, 8))).toBe("no-reply (sent)");
  expect((await read(1, 8)).registers).toEqual([8, 9]);
  expect(slave.requests.map((request) => request.readUInt16BE(4))).toEqual([2, 3, 1, 2]);
});

test("no two frames are closer than the silence of the line", async () => {
  const done = await Promise.all([...Array(100).keys()].map((i) => read(1 + (i % 3), i, "command")));
  const ordered = done.toSorted((a, b) => a.startedMs - b.startedMs);
  for (let i = 1; i < ordered.length; i++) {
    expect((ordered[i]?.startedMs ?? 0) - (ordered[i - 1]?.endedMs ?? 0)).toBeGreaterThanOrEqual(1.75);
  }
});
