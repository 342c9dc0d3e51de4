import { expect, test } from "vitest";
import { checkArrows, type Declared } from "./arrow-rule.ts";
import { parseSource, type Room } from "./source-file.ts";

const DECLARED: Declared = {
  dependencies: new Set(["@servofleet/contracts", "@servofleet/runtime", "fastify"]),
  devDependencies: new Set(["vitest"]),
};

function problems(path: string, text: string): string[] {
  const room = path.split("/")[0] as Room;
  return checkArrows(parseSource(path, room, text), DECLARED).map(({ problem }) => problem);
}

test("a room may import what the table allows and its package.json declares", () => {
  const text = `import { a } from "@servofleet/contracts"; import f from "fastify"; import { b } from "./b.ts"; import "node:fs";`;
  expect(problems("controller/a.ts", text)).toEqual([]);
});

test("the write side never knows the read side", () => {
  expect(problems("controller/a.ts", `import { a } from "@servofleet/dashboard-api";`)).toHaveLength(1);
});

test("a type import, a re-export and a dynamic import are arrows too", () => {
  expect(problems("runtime/a.ts", `import type { A } from "@servofleet/controller";`)).toHaveLength(1);
  expect(problems("runtime/a.ts", `export * from "@servofleet/controller";`)).toHaveLength(1);
  expect(problems("runtime/a.ts", `await import("@servofleet/controller");`)).toHaveLength(1);
});

test("the bridge reaches neither SQLite nor the log, though it may use runtime", () => {
  expect(problems("firmware-bridge/a.ts", `import { a } from "@servofleet/runtime/clock";`)).toEqual([]);
  expect(problems("firmware-bridge/a.ts", `import { a } from "@servofleet/runtime/sqlite";`)).toHaveLength(1);
  expect(problems("firmware-bridge/a.ts", `import { a } from "@servofleet/runtime/log-reader";`)).toHaveLength(1);
});

test("a relative path through a wall is refused", () => {
  expect(problems("controller/domain/a.ts", `import { a } from "../../contracts/index.ts";`)).toHaveLength(1);
  expect(problems("controller/domain/a.ts", `import { a } from "../event-log/a.ts";`)).toEqual([]);
});

test("an undeclared package is refused, and a tool of the tests is for tests only", () => {
  expect(problems("controller/a.ts", `import a from "sqlite3";`)).toHaveLength(1);
  expect(problems("controller/a.ts", `import { test } from "vitest";`)).toHaveLength(1);
  expect(problems("controller/a.test.ts", `import { test } from "vitest";`)).toEqual([]);
});

test("the command line loads the simulators only when asked for", () => {
  expect(problems("bin/a.ts", `import { a } from "@servofleet/hil-tests";`)).toHaveLength(1);
  expect(problems("bin/a.ts", `await import("@servofleet/hil-tests");`)).toEqual([]);
});

test("every test may ask which tools its host has, and nothing else of the rigs", () => {
  expect(problems("runtime/a.test.ts", `import { needs } from "@servofleet/hil-tests/test-host";`)).toEqual([]);
  expect(problems("runtime/a.ts", `import { needs } from "@servofleet/hil-tests/test-host";`)).toHaveLength(1);
  expect(problems("runtime/a.test.ts", `import { sim } from "@servofleet/hil-tests/sim/line";`)).toHaveLength(1);
});
