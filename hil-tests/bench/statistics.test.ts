import fc from "fast-check";
import { expect, test } from "vitest";
import { median, quantile, ratiosOf, rounded, spreadOf } from "./statistics.ts";

const values = fc.array(fc.double({ min: -1e6, max: 1e6, noNaN: true }), { minLength: 1, maxLength: 60 });

test("the median of three is the one in the middle, of four the mean of the two in the middle", () => {
  expect(median([9, 1, 5])).toBe(5);
  expect(median([9, 1, 5, 6])).toBe(5.5);
});

test("a quantile is the nearest rank, and the highest value for few values", () => {
  const hundred = Array.from({ length: 100 }, (_, i) => i + 1);
  expect(quantile(hundred, 0.99)).toBe(99);
  expect(quantile(hundred, 0.5)).toBe(50);
  expect(quantile(hundred, 1)).toBe(100);
  expect(quantile([3, 1, 2], 0.99)).toBe(3);
});

test("quantiles are measured values that grow with their share, whatever the order of the values", () => {
  fc.assert(
    fc.property(values, fc.double({ min: 0.01, max: 1, noNaN: true }), (given, share) => {
      const found = quantile(given, share);
      expect(given).toContain(found);
      expect(found).toBeLessThanOrEqual(quantile(given, 1));
      expect(quantile([...given].reverse(), share)).toBe(found);
      const below = given.filter((value) => value <= found).length;
      expect(below / given.length).toBeGreaterThanOrEqual(share - 1e-9);
    }),
  );
});

test("a median lies between the lowest and the highest value", () => {
  fc.assert(
    fc.property(values, (given) => {
      const [low, high] = spreadOf(given);
      expect(median(given)).toBeGreaterThanOrEqual(low);
      expect(median(given)).toBeLessThanOrEqual(high);
    }),
  );
});

test("each value is divided by the reference of its own run", () => {
  expect(ratiosOf([10, 30], [20, 10])).toEqual([0.5, 3]);
});

test("nothing measured is not a number, never a zero that would hold a bar", () => {
  expect(median([])).toBeNaN();
  expect(quantile([], 0.99)).toBeNaN();
});

test("figures keep four significant digits", () => {
  expect(rounded(0.123456)).toBe(0.1235);
  expect(rounded(61_234.56)).toBe(61_235);
  expect(rounded(7)).toBe(7);
});
