import { defineConfig } from "vitest/config";
import { LongestFirst } from "./scripts/longest-first.ts";
import { SecondRuns } from "./scripts/second-runs.ts";

/**
 * A wait in a test ends by its condition; these limits only say when to stop believing in it. On two slow cores that three
 * files share, starting a process takes seconds, and a test may start several.
 */
const TEST_LIMIT_MS = 120_000;
const POLL_LIMIT_MS = 60_000;
/**
 * Tests with real processes on a machine that others share: what fails is run once more, and named at the end. Generated
 * cases have a known seed, so what is broken is broken twice; the trials are never run again.
 */
const RETRIES = 1;

const SCENARIOS = "hil-tests/scenarios/**/*.test.ts";
/** Only compute and write files of their own, for minutes: `npm test` runs them beside the others. */
const TRIALS = ["hil-tests/crash/power-cut.test.ts", "hil-tests/crash/kill.test.ts", "hil-tests/simulation/*.test.ts"];
const FOREIGN = ["**/node_modules/**", "data/**"];

const reportFile = process.env["SERVOFLEET_TEST_REPORT"];

export default defineConfig({
  test: {
    environment: "node",
    pool: "forks",
    testTimeout: TEST_LIMIT_MS,
    hookTimeout: TEST_LIMIT_MS,
    expect: { poll: { timeout: POLL_LIMIT_MS } },
    // serialport and sqlite3 share libuv's pool: the processes under test assert at least 16 threads.
    env: { UV_THREADPOOL_SIZE: "16" },
    restoreMocks: true,
    setupFiles: ["scripts/law-seed.ts"],
    sequence: { sequencer: LongestFirst },
    reporters: reportFile
      ? ["default", new SecondRuns(), ["json", { outputFile: reportFile }]]
      : ["default", new SecondRuns()],
    projects: [
      {
        extends: true,
        test: {
          name: "rooms",
          include: ["**/*.test.ts"],
          exclude: [...FOREIGN, SCENARIOS, ...TRIALS],
          // Few at a time: the tests hold real ptys, sockets and files, and share the machine with them.
          maxWorkers: 3,
          retry: RETRIES,
          sequence: { groupOrder: 0 },
        },
      },
      {
        extends: true,
        test: {
          name: "scenarios",
          include: [SCENARIOS],
          exclude: FOREIGN,
          // Each runs the whole system on real lines: one after the other, when the rest is done.
          fileParallelism: false,
          retry: RETRIES,
          sequence: { groupOrder: 1 },
        },
      },
      {
        extends: true,
        test: { name: "trials", include: TRIALS, maxWorkers: 2, sequence: { groupOrder: 2 } },
      },
    ],
  },
});
