import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { AxisView, CloudEvent, Page } from "@servofleet/contracts";
import { afterEach, expect, test } from "vitest";
import { until } from "../box/until.ts";
import { processesIn, processOf } from "./box-processes.ts";
import { Demos } from "./running-demo.ts";

const demos = new Demos();
afterEach(() => demos.cleanUp());

const get = async <T>(url: string): Promise<T> => (await (await fetch(url)).json()) as T;
const positions = async (url: string): Promise<number> =>
  Number((await fetch(`${url}/v1/events?limit=1`)).headers.get("x-position")?.split(".")[1]);

test("the demo says where it listens, Ctrl-C ends it with 0 and nobody is left; a second run goes on with the log", async () => {
  const data = demos.newDirectory();
  const first = demos.start(data, ["demo"]);
  const url = await demos.address(first);
  expect(first.stdout.split("\n")[0]).toBe(`listening on ${url}`);
  await until(
    "it says what to try",
    () => first.stdout.match(/^ {2}curl .*\n/gm),
    (lines) => lines?.length === 3,
  );
  await until(
    "all axes are read",
    () => get<Page<AxisView>>(`${url}/v1/axes`),
    ({ items }) => items.length === 8 && items.every(({ state }) => state === "disabled"),
  );
  const before = await positions(url);
  first.child.kill("SIGINT");
  first.child.kill("SIGINT");
  expect(await demos.end(first), first.stderr).toBe(0);
  expect(first.stderr).toBe("");
  expect(processesIn(data)).toEqual([]);
  expect(existsSync(join(data, "lines", "line_a")), "the simulated lines are gone").toBe(false);

  const second = demos.start(data, ["--json", "demo"]);
  await demos.address(second);
  const { listening } = JSON.parse(second.stdout) as { listening: string };
  // The read side may have caught up with the log before the second controller wrote.
  const starts = await until(
    "the read side has the second start",
    () => get<Page<CloudEvent>>(`${listening}/v1/events?type=BoxStarted`),
    ({ items }) => items.length > 1,
  );
  expect(starts.items.map(({ epoch }) => epoch)).toEqual([1, 2]);
  expect(await positions(listening)).toBeGreaterThan(before);
});

test("a second demo on the same data is refused at once, and the first one does not notice", async () => {
  const data = demos.newDirectory();
  const url = await demos.address(demos.start(data, ["demo"]));
  const files = ["demo-fleet.yaml", "demo-links.yaml"].map((name) => readFileSync(join(data, name), "utf8"));
  const second = demos.start(data, ["demo"]);
  expect(await demos.end(second)).toBe(1);
  expect(second.stdout).toBe("");
  expect(second.stderr).toContain("already runs a box");
  expect(second.stderr).toContain("SERVOFLEET_DATA");
  expect(["demo-fleet.yaml", "demo-links.yaml"].map((name) => readFileSync(join(data, name), "utf8"))).toEqual(files);
  // Until every drive was read twice nothing but stops is taken.
  const enabled = await until(
    "the first demo takes a command and ends it",
    async () => {
      const answer = await fetch(`${url}/v1/axes/x1/commands`, {
        method: "POST",
        headers: { "content-type": "application/json", prefer: "wait=20" },
        body: '{"type":"Enable"}',
      });
      return { status: answer.status, body: (await answer.json()) as { state?: string } };
    },
    ({ status }) => status === 200,
  );
  expect(enabled.body).toMatchObject({ state: "succeeded" });
});

test("a demo that cannot listen says why and leaves nothing running", async () => {
  const url = await demos.address(demos.start(demos.newDirectory(), ["demo"]));
  const cases = [
    { env: { SERVOFLEET_PORT: new URL(url).port }, words: [new URL(url).port, "taken", "SERVOFLEET_PORT"] },
    { env: { SERVOFLEET_HOST: "0.0.0.0" }, words: ["0.0.0.0", "no users yet", "127.0.0.1"] },
  ];
  for (const { env, words } of cases) {
    const data = demos.newDirectory();
    const run = demos.start(data, ["demo"], env);
    expect(await demos.end(run)).toBe(1);
    expect(run.stdout).toBe("");
    for (const word of words) expect(run.stderr).toContain(word);
    expect(processesIn(data)).toEqual([]);
  }
});

test("a data directory that cannot be used is refused in clear words", async () => {
  const inTheWay = join(demos.newDirectory(), "file");
  writeFileSync(inTheWay, "");
  const deep = join(demos.newDirectory(), "a".repeat(100));
  mkdirSync(deep);
  const cases = [
    { data: inTheWay, word: "no directory" },
    { data: "/proc/nowhere", word: "cannot be used" },
    { data: deep, word: "too long" },
  ];
  for (const { data, word } of cases) {
    const run = demos.start(data, ["demo"]);
    expect(await demos.end(run)).toBe(1);
    expect(run.stderr).toContain(word);
    expect(run.stderr).toContain("SERVOFLEET_DATA");
    expect(run.stderr).not.toMatch(/ {4}at /);
  }
});

test("Ctrl-C in mid-start ends with 0 and leaves nobody behind", async () => {
  const data = demos.newDirectory();
  const run = demos.start(data, ["demo"]);
  await until(
    "its simulators are being started",
    () => processesIn(data),
    (found) => found.some(({ words }) => words.includes("sim")),
  );
  run.child.kill("SIGINT");
  expect(await demos.end(run), run.stderr).toBe(0);
  expect(processesIn(data)).toEqual([]);
});

test("a killed demo leaves nobody behind, its simulators included", async () => {
  const data = demos.newDirectory();
  const run = demos.start(data, ["demo"]);
  await demos.address(run);
  run.child.kill("SIGKILL");
  await until(
    "no process of the demo is left",
    () => processesIn(data),
    (left) => left.length === 0,
    45_000,
  );
});

test("a box outlives the terminal it was started from, and still ends in order", async () => {
  const data = demos.newDirectory();
  const run = demos.start(data, ["demo"], { SERVOFLEET_LOG: "info" });
  const url = await demos.address(run);
  run.child.stdout?.destroy();
  run.child.stderr?.destroy();
  // Supervisor, controller and bridge all have something to say now, and nobody reads it.
  const killed = processOf(data, "controller");
  process.kill(killed ?? 0, "SIGKILL");
  await until(
    "another controller serves",
    async () => ({
      pid: processOf(data, "controller"),
      ready: (await fetch(`${url}/v1/axes/x1/stop`, { method: "POST" })).status,
    }),
    ({ pid, ready }) => pid !== killed && ready === 200,
  );
  run.child.kill("SIGHUP");
  expect(await demos.end(run)).toBe(0);
  expect(processesIn(data)).toEqual([]);
});
