import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, expect, test } from "vitest";
import { runCli } from "../box/running-box.ts";

const RIG = fileURLToPath(new URL("../rig/rigs/two-families.yaml", import.meta.url));
const SCENARIOS = ["reaches-its-target", "stops-while-moving", "unplug-and-replug"];
const directory = mkdtempSync(join(tmpdir(), "rig-report-"));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

/** A rig moves real time away: it takes a quarter of this on a quiet host. */
const RUN_LIMIT_MS = 100_000;
const rigRun = (...args: string[]) => runCli(["--json", "rig", "run", ...args], { ...process.env }, RUN_LIMIT_MS);

test("a rig runs its scenarios on simulated drives of two families and writes what happened", async () => {
  const [junit, html] = [join(directory, "rig.xml"), join(directory, "rig.html")];
  const { code, stdout, stderr } = await rigRun(RIG, "--only", ...SCENARIOS, "--junit", junit, "--html", html);
  expect(code, stdout + stderr).toBe(0);
  const report = JSON.parse(stdout) as { passed: number; failed: number; results: { axes: string[] }[] };
  expect(report).toMatchObject({ passed: 6, failed: 0, skipped: 0 });
  expect(new Set(report.results.flatMap(({ axes }) => axes))).toEqual(new Set(["x1", "z1"]));
  expect(readFileSync(junit, "utf8")).toContain('tests="6" failures="0" errors="0" skipped="0"');
  const page = readFileSync(html, "utf8");
  expect(page.match(/<path class="curve" d="M[^"]*L/g)?.length, "curves with more than one point").toBeGreaterThan(11);
  expect(page).not.toMatch(/https?:/);
});

test("a rig file or a scenario that cannot be meant is wrong usage", async () => {
  const missing = await rigRun(join(directory, "none.yaml"));
  expect(missing.code).toBe(2);
  expect(JSON.parse(missing.stderr)).toMatchObject({ error: { code: "wrong-usage" } });
  const unknown = await rigRun(RIG, "--only", "reaches-its-targt");
  expect(unknown.code).toBe(2);
  expect(unknown.stderr).toContain("did you mean reaches-its-target?");
});
