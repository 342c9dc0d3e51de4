import { expect, test } from "vitest";
import { registerValue } from "./register-value.ts";
import { ValueCheck } from "./value-check.ts";

const answer = (unit: number, address: number, number: number, count = 3) =>
  Array.from({ length: count }, (_, at) => registerValue(unit, address + at, number));

test("answers in order are right, also when the number of the request runs over", () => {
  const check = new ValueCheck();
  for (let number = 65_530; number < 65_545; number++) check.answer(3, 20, answer(3, 20, number & 0xffff), 3);
  expect(check.wrong).toBe(0);
});

test("an answer that is repeated, shifted by one request, cut, or of another address is wrong", () => {
  for (const wrong of [answer(3, 20, 1), answer(3, 20, 3), answer(3, 20, 2, 2), answer(3, 21, 2), [1, 2, 3]]) {
    const check = new ValueCheck();
    check.answer(3, 20, answer(3, 20, 1), 3);
    check.answer(3, 20, wrong, 3);
    expect(check.wrong, String(wrong)).toBe(1);
  }
});

test("after a request without an answer the next number is taken as it comes", () => {
  const check = new ValueCheck();
  check.answer(3, 20, answer(3, 20, 1), 3);
  check.lost(3);
  check.answer(3, 20, answer(3, 20, 5), 3);
  expect(check.wrong).toBe(0);
});
