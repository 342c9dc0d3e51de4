import type { Socket } from "node:net";
import type { LinkConfig } from "@servofleet/contracts";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { Link } from "./link.ts";
import { openLink, tcpConfig, until } from "./testing/link-bench.ts";
import { rightAnswer, type TcpRequest, TcpTestServer } from "./testing/tcp-server.ts";

let server: TcpTestServer;
let link: Link;
/** What the server has taken and not answered yet. */
let held: { request: TcpRequest; socket: Socket }[];
beforeEach(async () => {
  held = [];
  server = await TcpTestServer.start((request, socket) => void held.push({ request, socket }));
  link = await openLink({ ...tcpConfig(server.port), inFlightMax: 4 } as LinkConfig, [1, 2]);
});
afterEach(async () => {
  await link.close();
  await server.close();
});

const read = (unit: number, address: number) =>
  link.transact(unit, { fn: "read", address, quantity: 2 }, { class: "poll" });
const write = (unit: number, value: number, name: "command" | "stop") =>
  link.transact(unit, { fn: "write", address: 5, value }, { class: name });
const answer = (entries: typeof held) => {
  for (const { request, socket } of entries) socket.write(rightAnswer(request));
};

test("so many requests are on the way at once, and answers in any order and in pieces find their own", async () => {
  const reads = [10, 20, 30, 40, 50].map((address) => read(1, address));
  await until(() => held.length === 4, "four on the way");
  const bytes = Buffer.concat(held.toReversed().map(({ request }) => rightAnswer(request)));
  const { socket } = held[0] as (typeof held)[0];
  held.length = 0;
  for (let at = 0; at < bytes.length; at += 5) socket.write(bytes.subarray(at, at + 5));
  await until(() => held.length === 1, "the fifth");
  answer(held);
  const done = await Promise.all(reads);
  expect(done.map(({ registers }) => registers[0])).toEqual([10, 20, 30, 40, 50]);
  expect(link.stats().errors).toEqual({ timeout: 0, crc: 0, exception: 0, mismatch: 0, late: 0 });
});

test("an answer that comes twice is counted and taken once", async () => {
  const first = read(1, 10);
  await until(() => held.length === 1, "asked");
  const twice = held[0] as (typeof held)[0];
  answer([twice, twice]);
  await first;
  await until(() => link.stats().errors.late === 1, "counted");
});

test("a write never goes beside anything of its own unit: no motion can overtake a stop", async () => {
  const move = write(1, 1, "command");
  const other = read(2, 10);
  const stop = write(1, 0, "stop");
  await until(() => held.length === 2, "the move and the other unit's read");
  expect(held.map(({ request }) => [request.unit, request.pdu[0]])).toEqual([
    [1, 6],
    [2, 3],
  ]);
  answer(held.splice(0));
  await until(() => held.length === 1, "the stop");
  answer(held);
  expect((await Promise.all([move, other, stop])).length).toBe(3);
  expect(held[0]?.request.pdu.readUInt16BE(3)).toBe(0);
});

test("a header that cannot be right ends the connection and everything on the way", async () => {
  const reads = [10, 20].map((address) => read(1, address).catch((error: { code: string }) => error.code));
  await until(() => held.length === 2, "two on the way");
  held[0]?.socket.write(Buffer.from([0, 1, 9, 9, 0, 6, 1]));
  expect(await Promise.all(reads)).toEqual(["link-lost", "link-lost"]);
});
