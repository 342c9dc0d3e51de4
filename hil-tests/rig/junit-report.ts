import { rfc3339 } from "@servofleet/contracts";
import { type RigReport, type ScenarioResult, secondsBetween, tally } from "./rig-result.ts";

/**
 * The results as JUnit XML (the shape that Jenkins, GitLab and others read): a suite per profile, a case per scenario.
 * What was refused for lack of a permission is a skipped case whose message says so.
 */
export function junitReport(report: RigReport): string {
  const suites = [...new Set(report.results.map(({ profile }) => profile))].map((profile) =>
    suite(
      report,
      profile,
      report.results.filter((result) => result.profile === profile),
    ),
  );
  const time = secondsBetween(report.fromUs, report.toUs);
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites name="${escaped(report.rig)}"${counts(report.results)} time="${time.toFixed(3)}">`,
    ...suites,
    "</testsuites>",
    "",
  ].join("\n");
}

function suite(report: RigReport, profile: string, results: readonly ScenarioResult[]): string {
  const time = results.reduce((sum, { fromUs, toUs }) => sum + secondsBetween(fromUs, toUs), 0);
  const facts = { ...report.machine, ...report.versions, gateway: report.gateway, permit: report.permit.join(" ") };
  const properties = Object.entries(facts).map(
    ([name, value]) => `      <property name="${escaped(name)}" value="${escaped(String(value))}"/>`,
  );
  return [
    `  <testsuite name="${escaped(`${report.rig}.${profile}`)}"${counts(results)} time="${time.toFixed(3)}" timestamp="${rfc3339(report.fromUs).slice(0, 19)}">`,
    "    <properties>",
    ...properties,
    "    </properties>",
    ...results.map((result) => testcase(report, result)),
    "  </testsuite>",
  ].join("\n");
}

function counts(results: readonly ScenarioResult[]): string {
  const { failed, skipped, refused } = tally(results);
  return ` tests="${results.length}" failures="${failed}" errors="0" skipped="${skipped + refused}"`;
}

function testcase(report: RigReport, result: ScenarioResult): string {
  const { scenario, profile, axes, outcome, reason, fromUs, toUs } = result;
  const name = `${scenario}${axes.length > 0 ? ` on ${axes.join(" and ")}` : ""}`;
  const time = secondsBetween(fromUs, toUs).toFixed(3);
  const open = `    <testcase classname="${escaped(`${report.rig}.${profile}`)}" name="${escaped(name)}" time="${time}"`;
  if (outcome === "passed") return `${open}/>`;
  const first = escaped(reason.split("\n")[0] ?? "");
  if (outcome !== "failed") {
    const word = outcome === "refused" ? "refused: " : "";
    return `${open}><skipped message="${word}${first}"/></testcase>`;
  }
  const story = escaped([reason, "", ...stepLines(result), "", ...frameLines(result)].join("\n"));
  return `${open}>\n      <failure type="step-failed" message="${first}">${story}</failure>\n    </testcase>`;
}

const stepLines = ({ steps }: ScenarioResult): readonly string[] =>
  steps.map(({ words, outcome, detail }, n) => `${n}. ${words}: ${outcome}${detail ? ` (${detail})` : ""}`);

const frameLines = ({ commands }: ScenarioResult): readonly string[] =>
  commands.flatMap(({ type, axis, state, problem, frames }) => [
    `${type} on ${axis}: ${state}${problem ? ` (${problem.detail})` : ""}`,
    ...frames.map(({ direction, at, hex }) => `  ${direction} ${at} ${hex}`),
  ]);

/** Also drops what XML 1.0 cannot carry. */
function escaped(text: string): string {
  return (
    text
      // biome-ignore lint/suspicious/noControlCharactersInRegex: exactly those that XML forbids
      .replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g, "\ufffd")
      .replaceAll("&", "&amp;")
      .replaceAll("<", "&lt;")
      .replaceAll(">", "&gt;")
      .replaceAll('"', "&quot;")
  );
}
