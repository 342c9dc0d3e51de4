import { expect, test } from "vitest";
import { nearestSpelling } from "./nearest-spelling.ts";

test.each([
  ["evne", "even"],
  ["Even", "even"],
  ["eve", "even"],
  ["od", "odd"],
  ["mark", undefined],
  ["", undefined],
])("the word that was probably meant by %j is %j", (found, meant) => {
  expect(nearestSpelling(found, ["none", "even", "odd"])).toBe(meant);
});
