import { BaseSequencer, type TestSpecification } from "vitest/node";

/**
 * What takes longest, longest first; the rest by size, as ever. A fresh clone knows no durations, and a long file that is
 * begun last keeps everybody waiting.
 */
const LONGEST = [
  "hil-tests/sim/servo-axis.test.ts",
  "bin/command-line.test.ts",
  "hil-tests/sim/cia402-axis.test.ts",
  "hil-tests/sim/servo-group.test.ts",
];

const rank = ({ moduleId }: TestSpecification): number => {
  const at = LONGEST.findIndex((file) => moduleId.endsWith(file));
  return at < 0 ? LONGEST.length : at;
};

/** The order in which test files are begun. */
export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    return (await super.sort(files)).toSorted((a, b) => rank(a) - rank(b));
  }
}
