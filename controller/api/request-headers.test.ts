import { expect, it } from "vitest";
import { WAIT_MAX_S, writeHeaders } from "./request-headers.ts";

it.each([
  ["wait=5", 5],
  ["respond-async, wait=3", 3],
  ['wait="7"; foo=1, handling=lenient', 7],
  ["WAIT = 9", 9],
  [`wait=${WAIT_MAX_S + 1}`, WAIT_MAX_S],
  ["wait=soon", undefined],
  ["awaiting=5", undefined],
  ["return=minimal", undefined],
])("reads the preference %j", (prefer, waitS) => {
  expect(writeHeaders({ prefer })).toEqual(waitS === undefined ? {} : { waitS });
});

it.each([
  ['"41"', { expectedVersion: 41 }],
  [' "0" ', { expectedVersion: 0 }],
  ["*", {}],
  ['W/"41"', { expectedVersion: -1 }],
  ['"x"', { expectedVersion: -1 }],
  ['"01"', { expectedVersion: -1 }],
])("reads If-Match %j", (header, expected) => {
  expect(writeHeaders({ "if-match": header })).toEqual(expected);
});

it.each(["41", 'w/"41"', '"1", "2"', '"', ""])("refuses If-Match %j", (header) => {
  expect(writeHeaders({ "if-match": header })).toMatchObject({ problem: { slug: "validation-error" } });
});
