import { type ChildProcess, fork } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ReportMessage, StopOrder } from "@servofleet/contracts";
import { expect, it, onTestFinished } from "vitest";
import { parentProcessBus } from "./child-process-bus.ts";
import { until } from "./message-bus.contract.ts";

/** A child that answers every stop by a report carrying its generation, with its pid as boot. */
const CHILD = `
import { childProcessBus } from ${JSON.stringify(join(import.meta.dirname, "child-process-bus.ts"))};
const bus = childProcessBus((channel, error) => console.error(channel, error));
bus.subscribe("stops", (stop) => bus.publish("reports", {
  bridgeBoot: String(process.pid), seq: stop.stopGeneration,
  report: { type: "link-status", link: "l", up: true, reason: null, atUs: 1 } }));
bus.onConnection((connected) => { if (!connected) process.exit(0); });
`;

const stop = (n: number): StopOrder => ({
  stopId: "s",
  axis: "x1" as StopOrder["axis"],
  epoch: 1,
  stopGeneration: n,
  reason: "person",
});

async function childScript(): Promise<() => ChildProcess> {
  const directory = await mkdtemp(join(tmpdir(), "servofleet-bus-"));
  const file = join(directory, "child.ts");
  await writeFile(file, CHILD);
  const children: ChildProcess[] = [];
  onTestFinished(async () => {
    for (const child of children) child.kill("SIGKILL");
    await rm(directory, { recursive: true });
  });
  return () => {
    const child = fork(file, { serialization: "advanced", execArgv: [] });
    children.push(child);
    return child;
  };
}

it("speaks with a real child, survives its death, and speaks with the next one", async () => {
  const start = await childScript();
  const faults: unknown[] = [];
  const bus = parentProcessBus((_channel, error) => faults.push(error));
  onTestFinished(() => bus.close());
  const reports: ReportMessage[] = [];
  bus.subscribe("reports", (report) => reports.push(report));

  const first = start();
  bus.attach(first);
  // Before the child has run a line: the channel keeps it until the child listens.
  expect(bus.publish("stops", stop(1))).toBe(true);
  await until(() => reports.length === 1);
  expect(reports[0]?.bridgeBoot).toBe(String(first.pid));

  first.kill("SIGKILL");
  await until(() => !bus.connected);
  expect(bus.publish("stops", stop(2))).toBe(false);

  const second = start();
  bus.attach(second);
  expect(bus.publish("stops", stop(3))).toBe(true);
  await until(() => reports.length === 2);
  expect(reports[1]).toMatchObject({ bridgeBoot: String(second.pid), seq: 3 });
  expect(faults).toEqual([]);
});

it("lets the child see the end of its parent's bus", async () => {
  const start = await childScript();
  const bus = parentProcessBus(() => undefined);
  const child = start();
  bus.attach(child);
  const reports: ReportMessage[] = [];
  bus.subscribe("reports", (report) => reports.push(report));
  bus.publish("stops", stop(1));
  await until(() => reports.length === 1);
  await bus.close();
  await until(() => child.exitCode !== null);
  expect(child.exitCode).toBe(0);
});
