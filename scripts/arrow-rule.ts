import { dirname, join, normalize } from "node:path";
import type { Room, SourceFile } from "./source-file.ts";

/** What a room's package.json declares. */
export type Declared = { dependencies: ReadonlySet<string>; devDependencies: ReadonlySet<string> };
export type Violation = { path: string; line: number; problem: string };

const SCOPE = "@servofleet/";

/** Which rooms a room may import (docs/architecture.md, "Arrows"). */
export const ALLOWED: Readonly<Record<Room, readonly Room[]>> = {
  contracts: [],
  runtime: ["contracts"],
  "firmware-bridge": ["contracts", "runtime"],
  controller: ["contracts", "runtime"],
  "dashboard-api": ["contracts", "runtime"],
  "hil-tests": ["contracts", "runtime", "firmware-bridge", "controller", "dashboard-api", "bin"],
  bin: ["contracts", "runtime", "firmware-bridge", "controller", "dashboard-api", "hil-tests", "scripts"],
  scripts: ["hil-tests"],
};

/** Ways into a room that the table allows and that are closed all the same. */
const BARRED: readonly { from: Room; entry: RegExp; why: string }[] = [
  { from: "firmware-bridge", entry: /^@servofleet\/runtime\/(sqlite|log-reader)/, why: "the bridge knows no SQL" },
];

/** The one door that every test may use: which tools has this host? */
const TEST_DOOR = /^@servofleet\/hil-tests\/test-(host|tool)$/;

/** Checks every import of one file against the table, the declared dependencies and the rooms' walls. */
export function checkArrows(file: SourceFile, declared: Declared): Violation[] {
  return file.imports.flatMap(({ specifier, dynamic, line }) => {
    const problem = specifier.startsWith(".")
      ? relativeProblem(file, specifier, dynamic)
      : packageProblem(file, specifier, dynamic, declared);
    return problem === null ? [] : [{ path: file.path, line, problem: `imports "${specifier}": ${problem}` }];
  });
}

function relativeProblem(file: SourceFile, specifier: string, dynamic: boolean): string | null {
  const room = roomOfPath(normalize(join(dirname(file.path), specifier)));
  if (room === file.room) return null;
  if (room === null) return "a relative path leaves the room";
  // The composition, the gate and the rigs are not packages that others import; they may reach over by path.
  const byPath: readonly Room[] = ["bin", "scripts", "hil-tests"];
  if (!byPath.includes(file.room)) return `a relative path leaves the room; say @servofleet/${room}`;
  return tableProblem(file, room, dynamic);
}

function packageProblem(file: SourceFile, specifier: string, dynamic: boolean, declared: Declared): string | null {
  if (specifier.startsWith("node:")) return null;
  // In the browser, an absolute path is what the gateway serves.
  if (specifier.startsWith("/") && file.path.startsWith("dashboard-api/page/")) return null;
  if (file.isTest && TEST_DOOR.test(specifier)) return null;
  if (specifier.startsWith(SCOPE)) {
    const room = roomOfPackage(specifier);
    if (room === null) return "there is no such room";
    if (room === file.room) return "inside a room, import the file itself";
    const barred = BARRED.find(({ from, entry }) => from === file.room && entry.test(specifier));
    return barred?.why ?? tableProblem(file, room, dynamic) ?? undeclaredProblem(file, specifier, declared);
  }
  return undeclaredProblem(file, specifier, declared);
}

function tableProblem(file: SourceFile, room: Room, dynamic: boolean): string | null {
  if (!ALLOWED[file.room].includes(room)) return `${file.room} must not know ${room}`;
  if (file.room === "bin" && room === "hil-tests" && !dynamic && !file.isTest) {
    return "hil-tests is loaded only when asked for: import() it";
  }
  return null;
}

function undeclaredProblem(file: SourceFile, specifier: string, declared: Declared): string | null {
  const parts = specifier.split("/");
  const name = specifier.startsWith("@") ? parts.slice(0, 2).join("/") : (parts[0] ?? specifier);
  if (declared.dependencies.has(name)) return null;
  // Development tools are declared once, at the root, for tests and for the gate.
  const mayUseTools = file.isTest || file.room === "scripts";
  if (mayUseTools && declared.devDependencies.has(name)) return null;
  // hil-tests is loaded lazily by the composition and is no dependency of the command line.
  if (file.room === "bin" && name === "@servofleet/hil-tests") return null;
  return `${name} is not declared in ${file.room}/package.json`;
}

function roomOfPath(path: string): Room | null {
  const first = path.split("/")[0] ?? "";
  return first in ALLOWED ? (first as Room) : null;
}

function roomOfPackage(specifier: string): Room | null {
  const name = specifier.slice(SCOPE.length).split("/")[0] ?? "";
  return roomOfPath(name === "cli" ? "bin" : name);
}
