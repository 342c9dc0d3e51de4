// Prints the numbers that show drift, and fails on the hard rules of CONTRIBUTING.md.

import { readFileSync } from "node:fs";
import { relative } from "node:path";
import { findForeignWords } from "./foreign-word.ts";
import { findCycles } from "./import-cycle.ts";
import { listFiles, ROOMS, ROOT, readSourceFiles, type SourceFile } from "./source-file.ts";
import { countAny, type Finding, isLogic, longFunctions, tidyFindings } from "./tidy-rule.ts";
import { undocumentedExports } from "./undocumented-export.ts";

const TOP = 5;

function printNumbers(files: readonly SourceFile[], cycles: number): void {
  const source = files.filter((file) => !file.isTest && file.room !== "scripts");
  const tests = files.filter((file) => file.isTest);
  const sourceLines = sum(source, (file) => file.lines);
  const logic = source.filter(isLogic);
  const undocumented = undocumentedExports(files);
  row("import cycles", cycles, "0");
  row("`any` per 1,000 lines", ((1000 * sum(source, countAny)) / Math.max(1, sourceLines)).toFixed(2), "at most 1");
  row("comment share", percent(sum(source, (file) => file.commentLines) / Math.max(1, sourceLines)), "8 to 20 %");
  row(
    "test lines per source line",
    (sum(tests, (file) => file.lines) / Math.max(1, sourceLines)).toFixed(2),
    "0.9 to 1.8",
  );
  row("median logic file", `${median(logic.map((file) => file.lines))} lines`, "about 90");
  row("undocumented exports at the edges", undocumented.length, "0");
  for (const name of undocumented.slice(0, TOP)) console.log(`    ${name}`);
  printRooms(files);
  printLongest(logic);
}

function printRooms(files: readonly SourceFile[]): void {
  console.log("  room               files  source  tests  comments");
  for (const room of ROOMS) {
    const own = files.filter((file) => file.room === room);
    const tests = own.filter((file) => file.path.endsWith(".test.ts"));
    const source = own.filter((file) => !file.path.endsWith(".test.ts"));
    const lines = sum(source, (file) => file.lines);
    const share = percent(sum(source, (file) => file.commentLines) / Math.max(1, lines));
    const columns = [
      String(own.length).padStart(6),
      String(lines).padStart(8),
      String(sum(tests, (file) => file.lines)).padStart(7),
    ];
    console.log(`    ${room.padEnd(16)}${columns.join("")}${share.padStart(10)}`);
  }
}

function printLongest(logic: readonly SourceFile[]): void {
  console.log("  longest logic files");
  for (const file of topBy(logic, (item) => item.lines))
    console.log(`    ${String(file.lines).padStart(4)}  ${file.path}`);
  console.log("  longest functions");
  const functions = logic.flatMap((file) => longFunctions(file).map((found) => ({ ...found, path: file.path })));
  for (const { path, line, lines } of topBy(functions, (item) => item.lines)) {
    console.log(`    ${String(lines).padStart(4)}  ${path}:${line}`);
  }
}

function row(name: string, value: string | number, wanted: string): void {
  console.log(`  ${name.padEnd(36)}${String(value).padEnd(12)}(${wanted})`);
}

function sum<T>(items: readonly T[], measure: (item: T) => number): number {
  return items.reduce((total, item) => total + measure(item), 0);
}

function topBy<T>(items: readonly T[], measure: (item: T) => number): T[] {
  return [...items].sort((a, b) => measure(b) - measure(a)).slice(0, TOP);
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
}

function percent(share: number): string {
  return `${(100 * share).toFixed(1)} %`;
}

function foreignWords(): Finding[] {
  return listFiles(ROOT, /./).flatMap((path) => findForeignWords(relative(ROOT, path), readFileSync(path)));
}

const files = readSourceFiles();
const cycles = findCycles(files);
const findings: Finding[] = [
  ...files.flatMap(tidyFindings),
  ...foreignWords(),
  ...cycles.map((ring) => ({ path: ring[0] ?? "", line: 1, rule: "cycle", problem: ring.join(" <-> ") })),
];

console.log("tidy numbers");
printNumbers(files, cycles.length);
for (const { path, line, rule, problem } of findings) console.log(`${path}:${line} [${rule}] ${problem}`);
console.log(`tidy: ${files.length} files, ${findings.length} against the hard rules`);
process.exitCode = findings.length > 0 ? 1 : 0;
