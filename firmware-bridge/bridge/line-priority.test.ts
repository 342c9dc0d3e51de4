import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

const FILE = fileURLToPath(new URL("./line-priority.ts", import.meta.url));
/** Tries it in a process of its own: tests would keep it. */
const tried = (...before: string[]): number => {
  const script = `import(${JSON.stringify(FILE)}).then(({ takeLinePriority }) => console.log(takeLinePriority()))`;
  const [program = "", ...words] = [...before, process.execPath, "-e", script];
  return Number(execFileSync(program, words, { encoding: "utf8" }));
};

test("a process with lines goes before others, or keeps its place where it may not", () => {
  const isRoot = process.getuid?.() === 0;
  const priority = tried();
  if (isRoot) expect([-15, 0]).toContain(priority);
  else expect(priority).toBeLessThanOrEqual(0);
});

test("without the right to it, it keeps the place it had", () => {
  // Only root can take a right away (capabilities(7)), and nobody else has it.
  const without = ["setpriv", "--bounding-set", "-sys_nice", "--inh-caps", "-sys_nice"];
  expect(process.getuid?.() === 0 ? tried(...without) : tried()).toBe(0);
});
