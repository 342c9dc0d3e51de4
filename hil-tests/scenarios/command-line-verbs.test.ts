import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import type {
  AcceptedView,
  AxisView,
  CloudEvent,
  CommandView,
  DryRunView,
  Page,
  ProgramView,
  RunView,
  StopView,
} from "@servofleet/contracts";
import { systemClock } from "@servofleet/runtime/system-clock";
import { afterAll, beforeAll, expect, test } from "vitest";
import { signalService } from "../box/patient-asking.ts";
import { readyAxis } from "../box/ready-axis.ts";
import { type RunningBox, startBox } from "../box/running-box.ts";
import { until } from "../box/until.ts";

const CLI = fileURLToPath(new URL("../../bin/servofleet.ts", import.meta.url));
// biome-ignore lint/suspicious/noControlCharactersInRegex: that is what must not be there
const CONTROL = /\u001b/;

let box: RunningBox;
beforeAll(async () => {
  box = await startBox();
});
afterAll(() => box?.stop());

/** Runs a verb that has to succeed, and reads its one JSON document. */
async function answer<T>(...words: string[]): Promise<T> {
  const { code, stdout, stderr } = await box.cli(...words);
  expect(code, stdout + stderr).toBe(0);
  expect(stdout.trim().split("\n"), words.join(" ")).toHaveLength(1);
  return JSON.parse(stdout) as T;
}

/**
 * Asks again what the box may refuse or leave unconfirmed while the host pauses: a stop whose drives have not answered
 * within its second, a Reset before the first reading after a stop.
 */
const insist = (...words: string[]) =>
  until(
    words.join(" "),
    () => box.cli(...words),
    ({ code }) => code === 0,
  );

/** Starts a verb that goes on until it is interrupted. */
const follow = (...words: readonly string[]) => keepOpen(process.execPath, [CLI, "--url", box.url, ...words]);

/** Starts a program, and tells what it has said so far. */
function keepOpen(program: string, words: readonly string[]) {
  const child = spawn(program, words, { stdio: ["ignore", "pipe", "pipe"], env: { ...process.env, TERM: "xterm" } });
  const seen = { stdout: "", stderr: "", code: undefined as number | null | undefined };
  child.stdout.on("data", (chunk: Buffer) => (seen.stdout += chunk.toString()));
  child.stderr.on("data", (chunk: Buffer) => (seen.stderr += chunk.toString()));
  child.once("close", (code) => (seen.code = code));
  const ended = () =>
    until(
      "the verb has ended",
      () => seen.code,
      (code) => code !== undefined,
    );
  return { child, seen, ended };
}

/** A shell's pipe around a verb. */
async function shell(
  line: string,
  env: Readonly<Record<string, string | undefined>> = {},
): Promise<{ code: number | null; text: string }> {
  const child = spawn("bash", ["-o", "pipefail", "-c", line], {
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...process.env, TERM: "xterm", SF: `${process.execPath} ${CLI} --url ${box.url}`, ...env },
  });
  let text = "";
  child.stdout.on("data", (chunk: Buffer) => (text += chunk.toString()));
  child.stderr.on("data", (chunk: Buffer) => (text += chunk.toString()));
  return new Promise((resolve) => child.once("close", (code) => resolve({ code, text })));
}

test("a person enables, homes and moves an axis, and is told how each ended", async () => {
  expect((await box.cli("enable", "x1", "--wait")).stdout).toBe("Enable succeeded\n");
  expect((await box.cli("home", "x1", "--wait")).stdout).toBe("Home succeeded\n");
  const moved = await box.cli("move", "x1", "12.5", "--velocity", "100", "--wait");
  expect(moved).toMatchObject({ code: 0, stderr: "" });
  expect(moved.stdout).toMatch(/^MoveAbsolute succeeded, final error -?[\d.]+\n$/);
  const back = await answer<CommandView>("move", "x1", "-2.5", "--relative", "--wait", "--json");
  expect(back).toMatchObject({ type: "MoveRelative", state: "succeeded" });
  // A distance counts from where the axis stands, which may be anywhere in the window of the move before.
  expect(Math.abs((back.target ?? Number.NaN) - 10)).toBeLessThanOrEqual(0.1);
});

test("a negative position needs no --, and takes one", async () => {
  await readyAxis(box, "z1");
  for (const words of [
    ["move", "z1", "-5", "--wait", "--json"],
    ["move", "z1", "--wait", "--json", "--", "-5.5"],
  ])
    expect(await answer<CommandView>(...words)).toMatchObject({
      state: "succeeded",
      target: Number(words.at(-1)) || -5,
    });
  const beyond = await box.cli("move", "x1", "-5");
  expect(beyond).toMatchObject({ code: 1, stdout: "" });
  expect(beyond.stderr).toBe("Beyond the soft limit: position -5 mm is below min 0 mm\n  ask for 0 to 800 mm\n");
});

test("under --json, before or after the verb, each answer is one document and each refusal one on stderr", async () => {
  const before = await answer<Page<AxisView>>("--json", "axes");
  const after = await answer<Page<AxisView>>("axes", "--json");
  expect(after.items.map(({ id }) => id)).toEqual(before.items.map(({ id }) => id));
  const accepted = await answer<AcceptedView>("--json", "halt", "x1");
  expect(accepted).toMatchObject({ axis: "x1", state: "accepted" });
  const refused = await box.cli("--json", "move", "x1", "900");
  expect(refused).toMatchObject({ code: 1, stdout: "" });
  expect(JSON.parse(refused.stderr)).toMatchObject({
    error: {
      code: "/problems/soft-limit",
      hint: "ask for 0 to 800 mm",
      facts: { status: 422, type: "/problems/soft-limit" },
    },
  });
  const unknown = await box.cli("--json", "home", "nobody");
  expect(unknown).toMatchObject({ code: 1, stdout: "" });
});

test("stop takes one axis, several, a group, a link or all; what is unknown does not keep the rest from being stopped", async () => {
  const cases: [string[], string[]][] = [
    [["x1"], ["x1"]],
    [
      ["x1", "z1"],
      ["x1", "z1"],
    ],
    [
      ["--group", "gantry"],
      ["x1", "x2"],
    ],
    [["--link", "cell_1"], ["z1"]],
    [["--all"], ["x1", "x2", "x3", "y1", "y2", "y3", "z1", "z2"]],
  ];
  for (const [words, axes] of cases) {
    const { items } = JSON.parse((await insist("--json", "stop", ...words)).stdout) as StopView;
    expect(items.map(({ axis }) => axis).sort()).toEqual(axes);
  }
  const partly = await until(
    "x1 is stopped, which nobody does not keep it from",
    () => box.cli("stop", "nobody", "x1"),
    ({ stdout }) => stdout === "x1: stop acknowledged\n",
  );
  expect(partly.code).toBe(1);
  expect(partly.stderr).toContain('no axis "nobody"');
  expect(JSON.parse((await insist("--json", "reset", "x1", "--wait")).stdout)).toMatchObject({ state: "succeeded" });
  expect((await box.cli("disable", "x1", "--wait")).stdout).toBe("Disable succeeded\n");
});

test("why tells the request, the decision, the log, the wire and the confirmation", async () => {
  await readyAxis(box, "x2");
  const { commandId } = await answer<CommandView>("--json", "move", "x2", "20", "--wait");
  // The answer came from the controller: the read side, which tells the story, may lag behind it.
  await box.read(`/v1/commands/${commandId}`);
  const { stdout, code } = await box.cli("why", commandId);
  expect(code).toBe(0);
  expect(stdout).toMatch(new RegExp(`^MoveAbsolute ${commandId} on x2: succeeded`));
  expect(stdout).toMatch(/^asked by {3}local: \{"position":20\}$/m);
  expect(stdout).toMatch(/^decided {4}seeing x2 in standstill, version \d+; target 20 \(2000 counts\)$/m);
  expect(stdout).toMatch(/^ {2}demo_box-\w+\.\d+ .* MoveAccepted\.v1$/m);
  expect(stdout).toMatch(/^ {2}\S+ {2}tx {2}02 10( [0-9a-f]{2})+$/m);
  expect(stdout).toMatch(/^confirmed {2}by measurement, final error/m);
  const told = await answer<{ command: CommandView; events: CloudEvent[] }>("why", commandId, "--json");
  expect(told.command.commandId).toBe(commandId);
  expect(told.events.map(({ type }) => type)).toContain("servofleet.DispatchStarted.v1");
});

test("events lists the newest and follows what comes, also over a gateway that is started again", async () => {
  expect((await box.cli("events", "--limit", "3")).stdout.trim().split("\n")).toHaveLength(3);
  expect((await answer<Page<CloudEvent>>("events", "--limit", "3", "--json")).items).toHaveLength(3);
  expect(await box.cli("events", "--after", "nonsense")).toMatchObject({ code: 2, stdout: "" });
  const { child, seen, ended } = follow("events", "--follow", "--json", "--axis", "y1");
  await until(
    "an event has come",
    async () => {
      await box.cli("stop", "y1");
      return seen.stdout;
    },
    (stdout) => stdout.includes("axis-y1"),
  );
  await signalService(box, "gateway", "SIGKILL");
  await until(
    "it has noticed",
    () => seen.stderr,
    (stderr) => stderr.includes("looking for it again"),
  );
  const before = seen.stdout.length;
  await until(
    "events come again",
    async () => {
      await box.cli("stop", "y1");
      return seen.stdout.length;
    },
    (length) => length > before,
  );
  child.kill("SIGINT");
  expect(await ended()).toBe(0);
  const positions = seen.stdout
    .trim()
    .split("\n")
    .map((line) => (JSON.parse(line) as CloudEvent).streamversion);
  expect(positions).toEqual(positions.map((_, n) => (positions[0] ?? 0) + n));
});

test("watch prints plain lines into a pipe, redraws on a terminal, and knows its axes", async () => {
  const plain = follow("watch", "x1", "z1");
  await until(
    "both axes were printed",
    () => plain.seen.stdout,
    (stdout) => / x1 {2}/.test(stdout) && / z1 {2}/.test(stdout),
  );
  plain.child.kill("SIGINT");
  expect(await plain.ended()).toBe(0);
  expect(plain.seen.stdout).not.toMatch(CONTROL);
  expect(plain.seen.stdout).not.toContain("x2");
  const drawn = keepOpen("script", ["-qec", `${process.execPath} ${CLI} --url ${box.url} watch x1`, "/dev/null"]);
  await until(
    "the table is drawn on a terminal",
    () => drawn.seen.stdout,
    (stdout) => stdout.includes("\u001b[H\u001b[J") && stdout.includes("AXIS"),
  );
  drawn.child.kill("SIGINT");
  await drawn.ended();
  const unknown = await box.cli("watch", "nobody");
  expect(unknown).toMatchObject({ code: 1, stdout: "" });
  expect(unknown.stderr).toContain("one of x1, x2");
});

test("colour is for terminals only, and for nobody who has refused it", async () => {
  await box.upsetDrive("y3", { kind: "silence" });
  await until(
    "y3 is offline",
    () => box.axis("y3"),
    ({ state }) => state === "offline",
  );
  expect((await box.cli("axes")).stdout).not.toMatch(CONTROL);
  const onTerminal = `script -qec "$SF axes" /dev/null </dev/null`;
  // Who runs the tests may have refused colour for all of them.
  expect((await shell(onTerminal, { NO_COLOR: undefined })).text).toContain("\u001b[31moffline");
  const refused = await shell(onTerminal, { NO_COLOR: "1" });
  expect(refused.text).toContain("offline");
  expect(refused.text).not.toContain("\u001b[31m");
  await box.upsetDrive("y3", { kind: "clear" });
  await until(
    "y3 is back",
    () => box.axis("y3"),
    ({ state }) => state !== "offline",
  );
});

test("a reader that has seen enough ends a verb without a word", async () => {
  for (const verb of ["axes", "events --limit 1000", "--json events --limit 1000", "--help"]) {
    const { text } = await shell(`$SF ${verb} | head -c 20`);
    expect(text.length, verb).toBe(20);
  }
  const watched = await shell(`$SF watch --json | head -2 | wc -l`);
  expect(watched.text.trim()).toBe("2");
});

test("log verify walks the log beside the running box, and check names every link", async () => {
  expect((await box.cli("log", "verify")).stdout).toMatch(/events\.db: good\. \d+ events/);
  expect(await answer<{ ok: boolean }>("--json", "log", "verify")).toMatchObject({ ok: true, firstBad: null });
  const { stdout } = await box.cli("check", box.fleetFile);
  for (const link of ["line_a", "line_b", "cell_1", "cell_2"]) expect(stdout).toContain(link);
  expect(await answer<{ valid: boolean }>("check", box.fleetFile, "--json")).toMatchObject({ valid: true });
});

test("a second up on the same data is refused before it touches anything", async () => {
  const bridge = box.pid("bridge");
  const { code, stdout, stderr } = await box.cli("up", "--config", box.fleetFile);
  expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
  expect(stderr).toContain("already runs a box");
  expect(box.pid("bridge")).toBe(bridge);
});

test.each([
  ["controller", "already writes here"],
  ["dashboard", "already runs a dashboard"],
  ["bridge", "needs NATS"],
])("a second %s by hand is refused, and the first one serves on", async (service, words) => {
  const { code, stdout, stderr } = await box.cli(service, "--config", box.fleetFile);
  expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
  expect(stderr).toContain(words);
  expect((await box.call("GET", "/v1/axes")).status).toBe(200);
});

test("a finished grab starts the conveyor, and two runs of it stand side by side", async () => {
  for (const id of ["x1", "x2", "x3"]) await readyAxis(box, id);
  const docs = fileURLToPath(new URL("../../docs/", import.meta.url));
  // What the tests above have stopped: with any stop latched nothing may be armed.
  const { items } = await box.read<Page<AxisView>>("/v1/axes");
  for (const { id } of items.filter(({ stopLatched }) => stopLatched)) await insist("reset", id, "--wait");
  for (const name of ["grab", "conveyor"]) {
    await answer<ProgramView>("--json", "program", "add", `${docs}example-${name}.yaml`);
    expect(await answer<DryRunView>("--json", "program", "dry-run", name)).toMatchObject({ ok: true, axes: [] });
  }
  expect(await answer<ProgramView>("--json", "program", "arm", "conveyor")).toMatchObject({ armed: true });
  const first = await answer<RunView>("--json", "run", "grab", "--wait");
  expect(first).toMatchObject({ state: "completed", program: "grab", problem: null });
  const [fed] = await until(
    "the conveyor has run",
    async () => (await answer<Page<RunView>>("--json", "runs", "--program", "conveyor")).items,
    ([newest]) => newest?.state === "completed",
  );
  expect(fed).toMatchObject({ principal: "trigger:conveyor", trigger: { name: "grabbed" } });
  expect(fed?.steps[0]).toMatchObject({ step: "forth", state: "succeeded", axis: "x3" });
  const second = await answer<RunView>("--json", "run", "grab", "--wait");
  await box.read("/v1/commands?limit=1");
  const compared = await box.cli("diff", first.runId, second.runId);
  expect(compared).toMatchObject({ code: 0, stderr: "" });
  for (const { step } of first.steps) expect(compared.stdout).toContain(step);
  const told = await box.cli("why", first.steps[0]?.commandId ?? "");
  expect(told.stdout).toContain(`run:${first.runId}`);
});

test("replay shows the fleet as it was", async () => {
  const at = new Date(systemClock().wallUs() / 1000).toISOString();
  const then = await answer<Page<AxisView>>("replay", "--at", at, "--json");
  expect(then.items.map(({ id }) => id)).toContain("x1");
  expect((await box.cli("replay", "--at", at)).stdout).toMatch(/^AXIS +STATE/);
  expect(await box.cli("replay", "--at", "yesterday")).toMatchObject({ code: 2, stdout: "" });
});
