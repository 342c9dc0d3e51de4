import { expect, test } from "vitest";
import { withCrcOf } from "../link/testing/answers.ts";
import { expectedReply } from "./expected-reply.ts";
import type { Finding } from "./framer.ts";
import { RtuFramer } from "./rtu-framer.ts";

const WRITE = { fn: "write", address: 2, value: 1 } as const;
const REQUEST = withCrcOf([1, 6, 0, 2, 0, 1]);
const types = (findings: readonly Finding[]) => findings.map(({ type }) => type);

test("an adapter that is declared to hear itself: not even the first write takes its own echo for the answer", () => {
  const framer = new RtuFramer(true);
  framer.begin(REQUEST, expectedReply(1, WRITE));
  expect(types(framer.push(REQUEST))).toEqual([]);
  expect(types(framer.push(REQUEST))).toEqual(["reply"]);
});

test("it is still known after the adapter was unplugged", () => {
  const framer = new RtuFramer(true);
  framer.reset();
  framer.begin(REQUEST, expectedReply(1, WRITE));
  expect(types(framer.push(REQUEST))).toEqual([]);
});

test("an echo that is not what was sent (two talked at once) is no echo, and nothing behind it an answer", () => {
  const framer = new RtuFramer(true);
  framer.begin(REQUEST, expectedReply(1, WRITE));
  const spoilt = Buffer.from(REQUEST);
  spoilt[3] = 0x7f;
  expect(types(framer.push(Buffer.concat([spoilt, REQUEST])))).toEqual([]);
  expect(types(framer.end())).not.toContain("reply");
});
