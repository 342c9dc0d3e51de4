import { expect, test } from "vitest";
import { findForeignWords } from "./foreign-word.ts";
import { findCycles } from "./import-cycle.ts";
import { parseSource, type Room } from "./source-file.ts";
import { tidyFindings } from "./tidy-rule.ts";
import { undocumentedExports } from "./undocumented-export.ts";

function source(path: string, text: string) {
  return parseSource(path, path.split("/")[0] as Room, text);
}

function rules(path: string, text: string): string[] {
  return tidyFindings(source(path, text)).map(({ rule }) => rule);
}

test("a clock, a timer and chance are refused in the domain and allowed in runtime", () => {
  const text = "const a = Date.now(); const b = new Date(); const c = Math.random(); setTimeout(() => a, 1);";
  expect(rules("controller/a.ts", text)).toEqual(["clock", "clock", "clock", "clock"]);
  expect(rules("runtime/a.ts", text)).toEqual([]);
});

test("a date made from data is data", () => {
  expect(rules("controller/a.ts", "const at = new Date(event.at);")).toEqual([]);
});

test("words in comments and strings are not code", () => {
  expect(rules("controller/a.ts", '// Date.now() is barred here\nconst a = "throw new Error any";')).toEqual([]);
});

test("a bare error is refused, a class with a code is not", () => {
  expect(rules("controller/a.ts", 'throw new Error("no");')).toEqual(["bare-throw"]);
  expect(rules("controller/a.ts", 'throw new LinkError("no-reply", {}, "check the wiring");')).toEqual([]);
});

test("any has no place in contracts and in the domain", () => {
  expect(rules("contracts/a.ts", "export const a = (b: any) => b;")).toEqual(["any"]);
  expect(rules("controller/domain/a.ts", "export const a = (b: any) => b;")).toEqual(["any"]);
});

test("a function of more than 50 lines and a logic file of more than 300 are found", () => {
  const long = `function a() {\n${"  b();\n".repeat(49)}}\n`;
  expect(rules("controller/a.ts", long)).toEqual(["function-length"]);
  expect(rules("controller/a.ts", "b();\n".repeat(301))).toEqual(["file-length"]);
  expect(rules("controller/a.ts", "b();\n".repeat(300))).toEqual([]);
  expect(rules("contracts/a.ts", "b();\n".repeat(301))).toEqual([]);
});

test("a test that is left out is found", () => {
  const word = "skip";
  expect(rules("controller/a.test.ts", `test.${word}("a", () => {}); describe.only("b", () => {});`)).toEqual([
    "test-left-out",
    "test-left-out",
  ]);
});

test("a ring of imports is one finding, with all its files", () => {
  const files = [
    source("controller/a.ts", 'import { b } from "./b.ts";'),
    source("controller/b.ts", 'import type { c } from "./domain/c.ts";'),
    source("controller/domain/c.ts", 'import { a } from "../a.ts";'),
    source("controller/d.ts", 'import { a } from "./a.ts";'),
  ];
  expect(findCycles(files)).toEqual([["controller/a.ts", "controller/b.ts", "controller/domain/c.ts"]]);
});

test("a registry's host and a path of one machine are foreign", () => {
  const words = (text: string) => findForeignWords("README.md", Buffer.from(text)).map(({ line }) => line);
  const host = ["registry", "npmjs", "org"].join(".");
  expect(words(`a\nsee https://${host}/x`)).toEqual([2]);
  expect(words(`cd /${"home"}/somebody/servofleet`)).toEqual([1]);
  expect(words("GET /v1/axes and /dev/ttyUSB0")).toEqual([]);
});

test("an export at the edge without a doc comment is named, a type below its documented schema is not", () => {
  const text = "/** A. */\nexport const A = 1;\nexport type A = 1;\n\nexport const B = 2;\n";
  expect(undocumentedExports([source("runtime/a.ts", text)])).toEqual(["runtime/a.ts:5 B"]);
});
