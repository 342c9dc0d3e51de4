import { defineConfig } from "vitest/config";

/** A wait in a test ends by its condition; this limit only says when to stop believing in it. */
const TEST_LIMIT_MS = 30_000;

const reportFile = process.env["SERVOFLEET_TEST_REPORT"];

export default defineConfig({
  test: {
    include: ["**/*.test.ts", "**/*.contract.test.ts", "hil-tests/scenarios/**/*.test.ts"],
    exclude: ["**/node_modules/**", "data/**"],
    environment: "node",
    pool: "forks",
    // Two at a time: the tests hold real ptys, sockets and processes, and share the machine with them.
    maxWorkers: 2,
    testTimeout: TEST_LIMIT_MS,
    hookTimeout: TEST_LIMIT_MS,
    // serialport and sqlite3 share libuv's pool: the processes under test assert at least 16 threads.
    env: { UV_THREADPOOL_SIZE: "16" },
    restoreMocks: true,
    reporters: reportFile ? ["default", ["json", { outputFile: reportFile }]] : ["default"],
  },
});
