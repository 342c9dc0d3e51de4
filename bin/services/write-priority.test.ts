import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

const FILE = fileURLToPath(new URL("./write-priority.ts", import.meta.url));
/** In a process of its own, whose pool has begun: nice as it was, as told, and of all its threads as the kernel has them. */
const SCRIPT = `import { readdirSync, readFileSync } from "node:fs";
  import { stat } from "node:fs/promises";
  await stat("/");
  const { getPriority } = await import("node:os");
  const before = getPriority();
  const { takeWritePriority } = await import(${JSON.stringify(FILE)});
  const told = takeWritePriority();
  const niceOf = (tid) => Number(readFileSync("/proc/self/task/" + tid + "/stat", "utf8").split(") ")[1].split(" ")[16]);
  const others = readdirSync("/proc/self/task").filter((tid) => Number(tid) !== process.pid).map(niceOf);
  console.log(JSON.stringify({ before, told, main: niceOf(process.pid), others }));`;

interface Places {
  readonly before: number;
  readonly told: number;
  readonly main: number;
  readonly others: readonly number[];
}
const tried = (...before: string[]): Places => {
  const [program = "", ...words] = [...before, process.execPath, "--input-type=module", "-e", SCRIPT];
  return JSON.parse(execFileSync(program, words, { encoding: "utf8" }));
};

test("the main thread of the write side goes before others, and its pool stays where it was", () => {
  const { before, told, main, others } = tried();
  expect(main).toBe(told);
  if (process.getuid?.() === 0) expect([-10, before]).toContain(told);
  expect(others.length).toBeGreaterThan(1);
  expect(others.every((nice) => nice === before)).toBe(true);
});

test("without the right to it, it keeps the place it had", () => {
  // Only root can take a right away (capabilities(7)), and nobody else has it.
  const without = ["setpriv", "--bounding-set", "-sys_nice", "--inh-caps", "-sys_nice"];
  const { before, told, main } = process.getuid?.() === 0 ? tried(...without) : tried();
  expect({ told, main }).toEqual({ told: before, main: before });
});
