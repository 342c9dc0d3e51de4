// What `npm test` runs. The trials that only compute for minutes (power cuts, kills, the simulation) run beside the tests
// that wait for real lines, at a priority that leaves those the machine; what they print is shown at the end. With
// arguments it is `vitest run` with them, and nothing else.

import { spawn } from "node:child_process";
import { setPriority } from "node:os";

const LOWEST_PRIORITY = 19;
const VITEST = "node_modules/vitest/vitest.mjs";

type Run = {
  readonly args: readonly string[];
  readonly report: string;
  /** At the lowest priority, and silent until it has ended. */
  readonly aside: boolean;
};

/** Whether the run passed, and what it printed where that was not shown at once. */
async function vitest({ args, report, aside }: Run): Promise<{ passed: boolean; printed: string }> {
  const shown = aside ? "pipe" : "inherit";
  const child = spawn(process.execPath, [VITEST, "run", ...args], {
    stdio: ["inherit", shown, shown],
    env: { ...process.env, SERVOFLEET_TEST_REPORT: report },
  });
  if (aside && child.pid !== undefined) setPriority(child.pid, LOWEST_PRIORITY);
  let printed = "";
  for (const stream of [child.stdout, child.stderr])
    stream?.setEncoding("utf8").on("data", (text: string) => {
      printed += text;
    });
  const code = await new Promise<number | null>((resolve, reject) => {
    child.on("error", reject);
    child.on("close", resolve);
  });
  return { passed: code === 0, printed };
}

const asked = process.argv.slice(2);
const report = process.env["SERVOFLEET_TEST_REPORT"] ?? "";
const runs: readonly Run[] =
  asked.length > 0
    ? [{ args: asked, report, aside: false }]
    : [
        { args: ["--project", "rooms", "--project", "scenarios"], report, aside: false },
        { args: ["--project", "trials"], report: report && `${report}.trials`, aside: true },
      ];
const ended = await Promise.all(runs.map(vitest));
for (const { printed } of ended) process.stdout.write(printed);
process.exitCode = ended.every(({ passed }) => passed) ? 0 : 1;
