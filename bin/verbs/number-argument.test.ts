import { expect, test } from "vitest";
import { number, wholeNumber } from "./number-argument.ts";

test("numbers are decimal, signed, with fraction or exponent", () => {
  expect(["12.5", "-3", "+4", ".5", "-.5", "1e3", "7."].map(number)).toEqual([12.5, -3, 4, 0.5, -0.5, 1000, 7]);
});

test.each(["", " ", "0x10", "1e999", "Infinity", "NaN", "10,5", "1 2", "five", "--5"])("%j is no number", (text) => {
  expect(() => number(text)).toThrow("a number is needed");
});

test("a whole number is held to its range", () => {
  expect(wholeNumber(1, 10)("10")).toBe(10);
  for (const text of ["0", "11", "1.5"]) expect(() => wholeNumber(1, 10)(text)).toThrow("from 1 to 10");
});
