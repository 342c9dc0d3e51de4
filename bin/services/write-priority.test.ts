import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

const FILE = fileURLToPath(new URL("./write-priority.ts", import.meta.url));
/** In a process of its own: nice before, as told, of its main thread, and of the pool's threads once they have worked (proc(5)). */
const SCRIPT = `import { readdirSync, readFileSync } from "node:fs";
  import { stat } from "node:fs/promises";
  import { getPriority } from "node:os";
  const { takeWritePriority } = await import(${JSON.stringify(FILE)});
  const word = (tid, name) => readFileSync("/proc/self/task/" + tid + "/" + name, "utf8");
  const niceOf = (tid) => Number(word(tid, "stat").split(") ")[1].split(" ")[16]);
  const before = getPriority();
  const told = takeWritePriority();
  await stat("/");
  const workers = readdirSync("/proc/self/task").filter((tid) => word(tid, "comm").startsWith("libuv-worker"));
  console.log(JSON.stringify({ before, told, main: niceOf(process.pid), pool: workers.map(niceOf) }));`;

interface Places {
  readonly before: number;
  readonly told: number;
  readonly main: number;
  readonly pool: readonly number[];
}
const tried = (...before: string[]): Places => {
  const [program = "", ...words] = [...before, process.execPath, "--input-type=module", "-e", SCRIPT];
  return JSON.parse(execFileSync(program, words, { encoding: "utf8" }));
};

test("the write side goes before others with the threads that write its log", () => {
  const { before, told, main, pool } = tried();
  expect(main).toBe(told);
  if (process.getuid?.() === 0) expect([-10, before]).toContain(told);
  expect(pool.length).toBeGreaterThan(0);
  expect(new Set(pool)).toEqual(new Set([told]));
});

test("without the right to it, it keeps the place it had", () => {
  // Only root can take a right away (capabilities(7)), and nobody else has it.
  const without = ["setpriv", "--bounding-set", "-sys_nice", "--inh-caps", "-sys_nice"];
  const { before, told, main } = process.getuid?.() === 0 ? tried(...without) : tried();
  expect({ told, main }).toEqual({ told: before, main: before });
});
