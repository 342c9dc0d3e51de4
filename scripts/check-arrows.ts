// npm links every workspace into one node_modules, so the compiler finds what a room must not know. This check holds
// the arrows of docs/architecture.md: the allow-table, declared dependencies, and no relative path through a wall.

import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { ALLOWED, checkArrows, type Declared, type Violation } from "./arrow-rule.ts";
import { ROOMS, ROOT, type Room, readSourceFiles } from "./source-file.ts";

type PackageJson = { dependencies?: object; optionalDependencies?: object; devDependencies?: object };

function readPackage(folder: string): PackageJson {
  const path = join(ROOT, folder, "package.json");
  return existsSync(path) ? (JSON.parse(readFileSync(path, "utf8")) as PackageJson) : {};
}

function declaredBy(room: Room): Declared {
  const own = readPackage(room);
  return {
    dependencies: new Set([...Object.keys(own.dependencies ?? {}), ...Object.keys(own.optionalDependencies ?? {})]),
    devDependencies: new Set(Object.keys(readPackage(".").devDependencies ?? {})),
  };
}

/** A declared arrow against the table is a broken wall even before somebody walks through it. */
function checkDeclared(room: Room, declared: Declared): Violation[] {
  const allowed = new Set<string>(ALLOWED[room].map((other) => `@servofleet/${other === "bin" ? "cli" : other}`));
  return [...declared.dependencies]
    .filter((name) => name.startsWith("@servofleet/") && !allowed.has(name))
    .map((name) => ({
      path: `${room}/package.json`,
      line: 1,
      problem: `declares ${name}, which ${room} must not know`,
    }));
}

const declared = new Map(ROOMS.map((room) => [room, declaredBy(room)]));
const files = readSourceFiles();
const violations = [
  ...[...declared].flatMap(([room, own]) => checkDeclared(room, own)),
  ...files.flatMap((file) => checkArrows(file, declared.get(file.room) ?? declaredBy(file.room))),
];

for (const { path, line, problem } of violations) console.log(`${path}:${line} ${problem}`);
console.log(`arrows: ${files.length} files, ${violations.length} against the rule`);
process.exitCode = violations.length > 0 ? 1 : 0;
