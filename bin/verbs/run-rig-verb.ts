import { existsSync, writeFileSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { nearestSpelling } from "@servofleet/runtime/nearest-spelling";
import { systemClock, systemRandom } from "@servofleet/runtime/system-clock";
import { DONE, FAILED, UsageError } from "../exit.ts";
import type { Output } from "./output.ts";
import type { RigOptions } from "./rig-verb.ts";
import { untilInterrupted } from "./verb-context.ts";

interface Named {
  readonly name: string;
}

/** `rig run`: progress on stderr, the summary on stdout, the reports where they were asked for. Exit code 1 when one failed. */
export async function runRigVerb(file: string, options: RigOptions, out: Output): Promise<number> {
  const files = [options.junit, options.html].flatMap((path) => path ?? []);
  refuseUnwritable(files);
  // Loaded only here, so that a plant's box never runs a line of it by accident.
  const { readRig } = await import("@servofleet/hil-tests/rig/rig-file");
  const { readScenarios } = await import("@servofleet/hil-tests/rig/scenario-file");
  const { runRig } = await import("@servofleet/hil-tests/rig/run-rig");
  const { tally } = await import("@servofleet/hil-tests/rig/rig-result");
  const { progressLine, resultLine } = await import("@servofleet/hil-tests/rig/progress-line");
  const rig = readRig(file);
  const scenarios = chosen(readScenarios(), options.only);
  const clock = systemClock();
  const terminal = process.stderr.isTTY === true && !out.json;
  const columns = process.stderr.columns || 80;
  const write = (text: string) => void (out.json || process.stderr.write(text));
  const progress = progressLine({ terminal, columns, write }, clock);
  const parts = { clock, random: systemRandom(), progress, signal: untilInterrupted() };
  const report = await runRig(rig, scenarios, parts).finally(() => progress.end());
  await writeReports(report, options);
  const count = tally(report.results);
  const failed = report.results.filter(({ outcome }) => outcome === "failed");
  const { results, ...facts } = report;
  out.show({ ...facts, ...count, results: results.map(({ curves: _curves, ...result }) => result), files }, () =>
    [
      ...failed.map(resultLine),
      `${count.passed} passed, ${count.failed} failed, ${count.skipped + count.refused} skipped` +
        (count.refused > 0 ? ` (${count.refused} for lack of a permission)` : ""),
      ...files.map((path) => `written: ${path}`),
    ].join("\n"),
  );
  const missed = options.only !== undefined && count.refused > 0;
  return count.failed > 0 || missed || report.interrupted ? FAILED : DONE;
}

/** A run of minutes whose report cannot be written would be for nothing. */
function refuseUnwritable(files: readonly string[]): void {
  for (const path of files)
    if (!existsSync(dirname(resolve(path))))
      throw new UsageError(`${path} cannot be written: no such directory`, { path }, "make the directory first");
}

function chosen<T extends Named>(scenarios: readonly T[], only: readonly string[] | undefined): readonly T[] {
  if (only === undefined) return scenarios;
  const names = scenarios.map(({ name }) => name);
  const unknown = only.filter((name) => !names.includes(name));
  if (unknown.length === 0) return scenarios.filter(({ name }) => only.includes(name));
  const lines = unknown.map((name) => {
    const nearest = nearestSpelling(name, names);
    return `no scenario is named ${name}${nearest ? `; did you mean ${nearest}?` : ""}`;
  });
  throw new UsageError(lines.join("\n"), { unknown }, `there are: ${names.join(", ")}`);
}

async function writeReports(
  report: import("@servofleet/hil-tests/rig/rig-result").RigReport,
  { junit, html }: RigOptions,
): Promise<void> {
  if (junit !== undefined) {
    const { junitReport } = await import("@servofleet/hil-tests/rig/junit-report");
    writeFileSync(junit, junitReport(report));
  }
  if (html !== undefined) {
    const { htmlReport } = await import("@servofleet/hil-tests/rig/html-report");
    writeFileSync(html, htmlReport(report));
  }
}
