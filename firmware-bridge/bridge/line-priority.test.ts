import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import type { LinePriority } from "./line-priority.ts";

const FILE = fileURLToPath(new URL("./line-priority.ts", import.meta.url));
/** Tries it in a process of its own: tests would keep it. The second word is the scheduler's own, as chrt(1) reads it. */
const tried = (...before: string[]): { told: LinePriority; policy: string } => {
  const script = `import { execFileSync } from "node:child_process";
    const { takeLinePriority } = await import(${JSON.stringify(FILE)});
    const told = takeLinePriority();
    const policy = execFileSync("chrt", ["--pid", String(process.pid)], { encoding: "utf8" });
    console.log(JSON.stringify({ told, policy }));`;
  const [program = "", ...words] = [...before, process.execPath, "--input-type=module", "-e", script];
  return JSON.parse(execFileSync(program, words, { encoding: "utf8" }));
};

test("a process with lines goes before others, or keeps its place where it may not", () => {
  const { told, policy } = tried();
  if (process.getuid?.() === 0) expect([-15, 0]).toContain(told.nice);
  else expect(told.nice).toBeLessThanOrEqual(0);
  expect(policy.includes("SCHED_FIFO")).toBe(told.realTime);
});

test("without the right to it, it keeps the place it had", () => {
  // Only root can take a right away (capabilities(7)), and nobody else has it.
  const without = ["setpriv", "--bounding-set", "-sys_nice", "--inh-caps", "-sys_nice"];
  const { told, policy } = process.getuid?.() === 0 ? tried(...without) : tried();
  expect(told).toEqual({ nice: 0, realTime: false });
  expect(policy).toContain("SCHED_OTHER");
});

test("with one core it is first among the usual ones: its own helpers need that core, too", () => {
  const [core = "0"] = /Cpus_allowed_list:\s+(\d+)/.exec(readFileSync("/proc/self/status", "utf8"))?.slice(1) ?? [];
  const { told, policy } = tried("taskset", "-c", core);
  expect(told.realTime).toBe(false);
  expect(policy).toContain("SCHED_OTHER");
});
