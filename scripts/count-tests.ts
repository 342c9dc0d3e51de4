// Prints the closing line of the gate, "N passed, N failed, N skipped", from the reports that Vitest wrote, and fails
// when a test failed, when nothing ran, or when CI=true and a test was skipped: a skipped test there is a hole.

import { readFileSync } from "node:fs";

type Report = { testResults: { status: string; assertionResults: { status: string }[] }[] };
type Counts = { passed: number; failed: number; skipped: number };

function count(report: Report, counts: Counts): void {
  for (const file of report.testResults) {
    const failures = file.assertionResults.filter((test) => test.status === "failed").length;
    const passes = file.assertionResults.filter((test) => test.status === "passed").length;
    counts.passed += passes;
    counts.skipped += file.assertionResults.length - passes - failures;
    // A file that could not be loaded, or whose hook failed, has no failed test to show and counts as one.
    counts.failed += file.status === "failed" ? Math.max(1, failures) : failures;
  }
}

function readReport(path: string): Report | null {
  try {
    return JSON.parse(readFileSync(path, "utf8")) as Report;
  } catch {
    return null;
  }
}

const TEST_COMMAND_BROKE = 1;
const CHECK_BROKE = 2;

const [brokenText = "0", ...reportPaths] = process.argv.slice(2);
const counts: Counts = { passed: 0, failed: 0, skipped: 0 };
for (const path of reportPaths) {
  const report = readReport(path);
  if (report !== null) count(report, counts);
  else {
    console.log("a test run wrote no report: it broke before its end");
    counts.failed += 1;
  }
}
const broken = Number(brokenText);
if (broken === TEST_COMMAND_BROKE && counts.failed === 0) counts.failed = 1;
if (broken >= CHECK_BROKE) counts.failed += 1;
const holes = process.env["CI"] === "true" && counts.skipped > 0;
process.exitCode = counts.failed > 0 || counts.passed === 0 || holes ? 1 : 0;
console.log(`${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped`);
