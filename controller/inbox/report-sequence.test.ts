import fc from "fast-check";
import { expect, it } from "vitest";
import { GAP_LIMIT_MS, ReportSequence } from "./report-sequence.ts";

it("hands each report on once and in order, whatever is lost and repeated", () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: 12 }), { maxLength: 200 }), (arrivals) => {
      const sequence = new ReportSequence("b");
      const taken = arrivals.filter((seq) => sequence.arrive(seq, 0) === "next");
      expect(taken).toEqual(taken.map((_, i) => i + 1));
    }),
  );
});

it("asks again for what was taken back", () => {
  const sequence = new ReportSequence("b");
  for (const seq of [1, 2, 3]) sequence.arrive(seq, 0);
  sequence.onDisk(1);
  sequence.takeBack();
  expect(sequence.recorded).toBe(1);
  expect(sequence.arrive(1, 0)).toBe("known");
  expect(sequence.arrive(2, 0)).toBe("next");
});

it("takes a gap as it is when nobody fills it in time", () => {
  const sequence = new ReportSequence("b");
  expect(sequence.arrive(5, 100)).toBe("gap");
  expect(sequence.arrive(6, 100 + GAP_LIMIT_MS / 2)).toBe("gap");
  expect(sequence.arrive(7, 100 + GAP_LIMIT_MS)).toBe("gap");
  expect(sequence.arrive(5, 100 + GAP_LIMIT_MS)).toBe("jump");
  expect(sequence.arrive(6, 100 + GAP_LIMIT_MS)).toBe("next");
});
