import { afterEach, expect, test } from "vitest";
import { readyAxis } from "../box/ready-axis.ts";
import { type RunningBox, startBox } from "../box/running-box.ts";
import { until } from "../box/until.ts";
import { processesIn, processOf } from "./box-processes.ts";

const AXIS = "z1";
const LIMIT_MS = 45_000;

let box: RunningBox | undefined;
afterEach(async () => {
  await box?.stop();
  box = undefined;
});

async function movingBox(): Promise<{ box: RunningBox; supervisor: number; seen: number }> {
  const running = await startBox();
  box = running;
  await readyAxis(running, AXIS);
  await running.send(AXIS, { type: "MoveAbsolute", position: 350, velocity: 10 });
  const { record } = await until(
    "the axis moves",
    () => running.drive(AXIS),
    ({ plant }) => Math.abs(plant.velocity) > 500,
  );
  const supervisor = processOf(running.directory, "up");
  if (supervisor === undefined) throw new Error("the supervisor is not to be found");
  return { box: running, supervisor, seen: record.at(-1)?.seq ?? 0 };
}

/** Nobody of the box, the simulators apart. */
const nobodyLeft = (running: RunningBox) =>
  until(
    "no process of the box is left",
    () => processesIn(running.directory).filter(({ words }) => !words.includes("sim")),
    (left) => left.length === 0,
    LIMIT_MS,
  );

async function wasStopped(running: RunningBox, seen: number): Promise<void> {
  const drive = await until(
    "the axis stands",
    () => running.drive(AXIS),
    ({ moving }) => !moving,
  );
  const since = drive.record.filter(({ seq }) => seq > seen).map(({ kind }) => kind);
  expect(since).toContain("stop");
  expect(since.filter((kind) => /^start|velocity|home/.test(kind))).toEqual([]);
}

test("when the supervisor is killed, the services stop the axes and nobody stays behind", async () => {
  const { box: running, supervisor, seen } = await movingBox();
  process.kill(supervisor, "SIGKILL");
  await nobodyLeft(running);
  await wasStopped(running, seen);
  const { code, stdout } = await running.cli("log", "verify");
  expect(code, stdout).toBe(0);
});

test.each(["controller", "bridge", "dashboard"] as const)(
  "a %s that hangs at shutdown is killed after its limit, the axes are stopped and the exit code is 0",
  async (service) => {
    const { box: running, seen } = await movingBox();
    const pid = running.pid(service);
    expect(pid).toBeDefined();
    process.kill(pid ?? 0, "SIGSTOP");
    const code = await running.interrupt();
    expect(code, running.log()).toBe(0);
    await nobodyLeft(running);
    await wasStopped(running, seen);
  },
);

test("SIGTERM to the supervisor stops the axes as Ctrl-C does", async () => {
  const { box: running, supervisor, seen } = await movingBox();
  process.kill(supervisor, "SIGTERM");
  await nobodyLeft(running);
  await wasStopped(running, seen);
});

test("a second Ctrl-C stops the axes that onShutdown lets finish", async () => {
  const running = await startBox({
    fleet: (same) => ({ ...same, axes: same.axes.map((axis) => ({ ...axis, onShutdown: "finish" })) }),
  });
  box = running;
  await readyAxis(running, AXIS);
  await running.send(AXIS, { type: "MoveAbsolute", position: 350, velocity: 10 });
  const { record } = await until(
    "the axis moves",
    () => running.drive(AXIS),
    ({ plant }) => Math.abs(plant.velocity) > 500,
  );
  const supervisor = processOf(running.directory, "up") ?? 0;
  process.kill(supervisor, "SIGINT");
  process.kill(supervisor, "SIGINT");
  // Asked of an axis that may not move: what comes before the controller has been told stops nothing.
  await until(
    "new commands are refused, and a repeat within a second was no second request",
    () => running.call("POST", "/v1/axes/x1/commands", { type: "MoveAbsolute", position: 10 }),
    ({ status }) => status === 503,
  );
  expect((await running.drive(AXIS)).record.at(-1)?.seq).toBe(record.at(-1)?.seq);
  await until(
    "it is asked again until the axis was stopped",
    () => {
      process.kill(supervisor, "SIGINT");
      return running.drive(AXIS);
    },
    ({ record: now }) => now.some(({ seq, kind }) => seq > (record.at(-1)?.seq ?? 0) && kind === "stop"),
  );
  await nobodyLeft(running);
});
