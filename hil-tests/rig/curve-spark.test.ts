import { expect, test } from "vitest";
import { curveSpark } from "./curve-spark.ts";
import type { Curve } from "./rig-result.ts";

const curveOf = (places: readonly (readonly [seconds: number, position: number])[]): Curve => ({
  axis: "x1",
  unitName: "mm",
  points: places.map(([seconds, position]) => ({ atUs: seconds * 1e6, position, velocity: 0, followingError: null })),
  targets: [],
});
const pathOf = (curve: Curve) => / d="([^"]*)"/.exec(curveSpark(curve))?.[1] ?? "";

test("a time without samples is a gap, however thinned out the line is", () => {
  const places = Array.from({ length: 400 }, (_, n) => [n / 100 + (n < 137 ? 0 : 3), n] as const);
  const path = pathOf(curveOf(places));
  expect(path.match(/M/g)).toHaveLength(2);
  expect(path.match(/[ML]/g)?.length).toBeLessThan(80);
  expect(path).not.toMatch(/NaN|Infinity/);
});

test("a standing axis is a flat line in the middle, and one that was not read is nothing", () => {
  expect(
    pathOf(
      curveOf([
        [0, 5],
        [1, 5],
      ]),
    ),
  ).toBe("M2.0 11.0L130.0 11.0");
  expect(curveSpark(curveOf([]))).toBe("");
  expect(curveSpark(curveOf([[3, 1]]))).toBe("");
});
