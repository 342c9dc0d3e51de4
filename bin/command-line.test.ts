import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";

const CLI = fileURLToPath(new URL("./servofleet.ts", import.meta.url));
/** Nobody listens on this port. */
const NOBODY = "http://127.0.0.1:1";

let directory: string;
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), "cli-"));
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));

interface Said {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

function run(...words: string[]): Promise<Said> {
  const child = spawn(process.execPath, [CLI, ...words], { stdio: ["ignore", "pipe", "pipe"], cwd: directory });
  let stdout = "";
  let stderr = "";
  child.stdout.on("data", (chunk: Buffer) => (stdout += chunk.toString()));
  child.stderr.on("data", (chunk: Buffer) => (stderr += chunk.toString()));
  return new Promise((resolve) => child.once("close", (code) => resolve({ code, stdout, stderr })));
}

const VERBS =
  "demo up controller bridge dashboard gateway check axes watch move home enable disable reset halt stop why events replay log sim profile";

test("--help lists every verb, says where a verb looks, and what the exit codes mean", async () => {
  const { code, stdout } = await run("--help");
  expect(code).toBe(0);
  for (const verb of VERBS.split(" ")) expect(stdout).toMatch(new RegExp(`^ {2}${verb}\\b`, "m"));
  for (const word of ["SERVOFLEET_URL", "SERVOFLEET_DATA", "0 done, 1 refused or failed, 2 wrong usage"])
    expect(stdout).toContain(word);
});

test.each([
  [["mvoe"], "Did you mean move?"],
  [["log", "verfy"], "Did you mean verify?"],
  [["move", "x1", "5", "--velocty", "3"], "Did you mean --velocity?"],
  [[], "Usage:"],
  [["move", "x1"], "missing required argument 'position'"],
  [["move", "x1", "fast"], "a number is needed"],
  [["move", "x1", "0x10"], "a number is needed"],
  [["move", "x1", "5", "--velocity", "NaN"], "a number is needed"],
  [["axes", "x1"], "too many arguments"],
  [["events", "--limit", "1.5"], "whole number from 1 to 1000"],
  [["events", "--limit", "0"], "whole number from 1 to 1000"],
  [["stop"], "say which: an axis, --group, --link or --all"],
  [["replay"], "--at <time>"],
  [["up"], "--config <file>"],
  [["up", "--config", "nowhere.yaml"], "name an existing fleet.yaml"],
  [["check", "nowhere.yaml"], "nowhere.yaml"],
  [["sim", "nowhere.yaml"], "name a readable YAML file"],
  [["profile", "check", "nowhere.json"], "name a profile file"],
  [["log", "verify", "--data", "nowhere"], "--data"],
  [["--url", "gateway", "axes"], "http://127.0.0.1:8080"],
  [["--url", "https://127.0.0.1", "axes"], "http://127.0.0.1:8080"],
] as const)("wrong usage is 2, says what to do and answers nothing: %j", async (words, hint) => {
  const { code, stdout, stderr } = await run(...words);
  expect(stderr).toContain(hint);
  expect(stderr).not.toMatch(/ {4}at /);
  expect(stdout).toBe("");
  expect(code).toBe(2);
});

test.each([
  ["--json", "move", "x1", "fast"],
  ["move", "x1", "fast", "--json"],
  ["up", "--config", "nowhere.yaml", "--json"],
])("under --json wrong usage is one document on stderr: %s %s %s %s", async (...words) => {
  const { code, stdout, stderr } = await run(...words);
  expect(code).toBe(2);
  expect(stdout).toBe("");
  const { error } = JSON.parse(stderr) as { error: Record<string, unknown> };
  expect(Object.keys(error)).toEqual(["code", "message", "hint", "facts"]);
  expect(error["message"]).toMatch(/number|cannot be read/);
});

test("a box that is not there is 1, with what to start; a stop that reaches nobody says what is left", async () => {
  const axes = await run("--url", NOBODY, "axes");
  expect(axes).toMatchObject({ code: 1, stdout: "" });
  expect(axes.stderr).toContain("servofleet up --config fleet.yaml");
  const watch = await run("--url", NOBODY, "events", "--follow");
  expect(watch).toMatchObject({ code: 1, stdout: "" });
  const stop = await run("--url", NOBODY, "--data", directory, "stop", "--all");
  expect(stop).toMatchObject({ code: 1, stdout: "" });
  expect(stop.stderr).toContain(join(directory, "run", "controller.sock"));
  expect(stop.stderr).toContain("hard-wired circuit");
});

test("a links file for sim is refused with every complaint on its own line", async () => {
  const file = join(directory, "links.yaml");
  writeFileSync(file, "links: [{ id: line_a, kind: modbus-rtu, drives: [] }]\nspeed: 3\n");
  const { code, stdout, stderr } = await run("sim", file);
  expect(code).toBe(2);
  expect(stdout).toBe("");
  expect(stderr).toContain("speed: found an unknown field");
  expect(stderr).toContain("links[0].path: found nothing");
});

test("the profiles that ship are good, and a wrong one is told with its path", async () => {
  const shipped = fileURLToPath(new URL("../firmware-bridge/profiles/leadshine-icl-rs.json", import.meta.url));
  expect(await run("profile", "check", shipped)).toMatchObject({ code: 0, stderr: "" });
  expect(JSON.parse((await run("--json", "profile", "check", shipped)).stdout)).toMatchObject({ valid: true });
  const wrong = join(directory, "wrong.json");
  writeFileSync(wrong, '{"name":"wrong"}');
  const refused = await run("profile", "check", wrong);
  expect(refused).toMatchObject({ code: 1, stdout: "" });
  expect(refused.stderr).toContain("wrong.json");
  const told = JSON.parse((await run("--json", "profile", "check", wrong)).stderr);
  expect(told.error.facts.complaints).toContainEqual(expect.objectContaining({ path: "wordOrder", found: "nothing" }));
});
