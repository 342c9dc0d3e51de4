import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

const FILE = fileURLToPath(new URL("./process-priority.ts", import.meta.url));
/** Tries it in a process of its own: tests would keep it. */
const tried = (place: "lines" | "stops", ...before: string[]): number => {
  const script = `import(${JSON.stringify(FILE)}).then(({ takePriority }) => console.log(takePriority("${place}")))`;
  const [program = "", ...words] = [...before, process.execPath, "-e", script];
  return Number(execFileSync(program, words, { encoding: "utf8" }));
};

test.each([
  ["lines", -15],
  ["stops", -10],
] as const)("a process of the %s goes before others, or keeps its place where it may not", (place, wanted) => {
  const isRoot = process.getuid?.() === 0;
  const priority = tried(place);
  if (isRoot) expect([wanted, 0]).toContain(priority);
  else expect(priority).toBeLessThanOrEqual(0);
});

test("without the right to it, it keeps the place it had", () => {
  // Only root can take a right away (capabilities(7)), and nobody else has it.
  const without = ["setpriv", "--bounding-set", "-sys_nice", "--inh-caps", "-sys_nice"];
  expect(process.getuid?.() === 0 ? tried("stops", ...without) : tried("stops")).toBe(0);
});

test("threads of the pool that run already keep their place", () => {
  const script = `
    const { readdirSync, readFileSync } = require("node:fs");
    const nices = () => readdirSync("/proc/self/task").map((id) => Number(readFileSync("/proc/self/task/" + id + "/stat", "latin1").split(") ")[1].split(" ")[16]));
    require("node:fs/promises").stat(".").then(async () => {
      const before = nices();
      const { takePriority } = await import(${JSON.stringify(FILE)});
      const priority = takePriority("stops");
      console.log(JSON.stringify({ priority, before, after: nices() }));
    });`;
  const told = JSON.parse(execFileSync(process.execPath, ["-e", script], { encoding: "utf8" }));
  const { priority, before, after } = told as { priority: number; before: number[]; after: number[] };
  expect(before.length).toBeGreaterThan(4);
  expect(after.filter((nice) => nice === priority)).toHaveLength(priority === before[0] ? after.length : 1);
});
