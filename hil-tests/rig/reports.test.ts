import type { CommandView } from "@servofleet/contracts";
import { expect, test } from "vitest";
import { htmlReport } from "./html-report.ts";
import { junitReport } from "./junit-report.ts";
import { reportOf, resultOf } from "./testing/bench-rig.ts";

const command = {
  type: "MoveAbsolute",
  axis: "x1",
  state: "failed",
  request: { position: 5 },
  target: 5,
  transitions: [{ at: "2027-01-15T08:00:00.300000Z" }],
  problem: { detail: 'unit 1 said "no" & <went>' },
  frames: [{ direction: "tx", at: "2027-01-15T08:00:00.310000Z", hex: "0103abcd" }],
} as unknown as CommandView;
const failed = resultOf({
  scenario: "stops",
  title: "A stop <holds> & latches",
  outcome: "failed",
  reason: 'until a: stopLatched: "false" <not> true & so on',
  commands: [command],
});
const notRun = { steps: [], curves: [], fromUs: 0, toUs: 0 } as const;
const skipped = resultOf({ scenario: "homes", outcome: "skipped", reason: "no homing", ...notRun });
const refused = resultOf({ scenario: "breaks", outcome: "refused", reason: "needs `permit: [faults]`", ...notRun });
const report = reportOf([resultOf(), skipped, failed, refused]);

/** Every tag that opens closes in order; the names in the order of opening. */
function tagsOf(xml: string): string[] {
  const open: string[] = [];
  const seen: string[] = [];
  for (const [, close, name = "", , self] of xml.matchAll(/<(\/)?([a-zA-Z]+)((?:\s+[a-zA-Z]+="[^"<]*")*)\s*(\/)?>/g)) {
    if (close) expect(open.pop()).toBe(name);
    else {
      seen.push(name);
      if (!self) open.push(name);
    }
  }
  expect(open).toEqual([]);
  expect(xml.replace(/<\?xml[^>]*\?>/, "").replace(/<\/?[a-zA-Z]+(\s+[a-zA-Z]+="[^"<]*")*\s*\/?>/g, "")).not.toMatch(
    /[<>]/,
  );
  return seen;
}

test("JUnit counts failures and skips, and carries steps and frames of what failed", () => {
  const xml = junitReport(report);
  expect(tagsOf(xml).filter((name) => name === "testcase")).toHaveLength(4);
  expect(xml).toContain('<testsuites name="bench" tests="4" failures="1" errors="0" skipped="2" time="9.000">');
  expect(xml).toContain('<skipped message="refused: needs `permit: [faults]`"/>');
  expect(xml).toContain("tx 2027-01-15T08:00:00.310000Z 0103abcd");
  expect(xml).toContain("&lt;not&gt; true &amp; so on");
  expect(xml).toContain('<property name="servofleet" value="0.1.0"/>');
});

test("JUnit drops what XML cannot carry", () => {
  const xml = junitReport(reportOf([resultOf({ outcome: "failed", reason: "a\u0000b\u001bc" })]));
  // biome-ignore lint/suspicious/noControlCharactersInRegex: exactly those must not be there
  expect(xml).not.toMatch(/[\u0000\u001b]/);
});

test("the page needs nothing from elsewhere and runs no script", () => {
  const page = htmlReport(report);
  expect(page).not.toMatch(/<script|<link|<img|<iframe|@import|url\(|https?:/);
  expect(page.match(/<a [^>]*href="(?!#)/)).toBeNull();
});

test("the page shows failures first, each with its reason, its curves and its frames", () => {
  const page = htmlReport(report);
  const sections = [...page.matchAll(/<section id="([^"]+)"/g)].map(([, id]) => id);
  expect(sections).toEqual(["leadshine-icl-rs--stops", "leadshine-icl-rs--reaches-its-target"]);
  expect(page).toContain("A stop &lt;holds&gt; &amp; latches");
  expect(page).toContain("01 03 ab cd");
  expect(page.match(/<svg viewBox/g)).toHaveLength(2);
  expect(page.match(/<details class="card scenario failed" open/g)).toHaveLength(1);
  expect(page).toContain('<details class="card scenario passed">');
  for (const { name } of [{ name: "position" }, { name: "velocity" }, { name: "following error" }])
    expect(page.split(`>${name}, mm`).length - 1, name).toBe(2);
  expect(page).toContain("passed, 1 failed</title>");
});

test("a curve is not drawn over a time without samples, and numbers stay numbers", () => {
  const [curve] = resultOf().curves;
  const points = [0, 100, 1900, 2000].map((ms, n) => ({
    atUs: resultOf().fromUs + ms * 1000,
    position: n,
    velocity: null,
    followingError: null,
  }));
  const page = htmlReport(reportOf([resultOf({ curves: [{ ...curve!, points }] })]));
  const path = /class="curve" d="([^"]+)"/.exec(page)?.[1] ?? "";
  expect(path.match(/M/g)).toHaveLength(2);
  expect(page).not.toMatch(/NaN|Infinity|undefined/);
  expect(page).toContain("velocity and following error: not read from this drive");
  expect(page).not.toContain(">velocity, mm");
});

test("an axis that nothing was read from has no empty pictures", () => {
  const [curve] = resultOf().curves;
  const page = htmlReport(reportOf([resultOf({ curves: [{ ...curve!, points: [] }] })]));
  expect(page).not.toContain("<svg");
  expect(page).toContain("Nothing was read from the drive");
});
