import type { AxisId, AxisStatus, Report } from "@servofleet/contracts";
import { FakeClock } from "@servofleet/runtime/fake-clock";
import { systemRandom } from "@servofleet/runtime/system-clock";
import { expect, it, onTestFinished } from "vitest";
import { LogError } from "../event-log/event-log.ts";
import { MemoryEventLog } from "../event-log/memory-event-log.ts";
import { openEventLog } from "../event-log/open-event-log.ts";
import { ControllerRig, type RigOptions } from "../testing/controller-rig.ts";
import { gatedLog } from "../testing/gated-log.ts";

async function rig(options: RigOptions = {}): Promise<ControllerRig> {
  const started = await ControllerRig.start(options);
  onTestFinished(() => started.kill());
  return started;
}
const MOVE = { body: { type: "MoveAbsolute", position: 50 } };
const x1 = "x1" as AxisId;

/** A life that ends while its move runs; the bridge keeps it moving. */
async function endedMoving(): Promise<{ directory: string; commandId: string }> {
  const box = await (await ControllerRig.start()).ready();
  const { bridge } = box;
  if (bridge) bridge.onOrder = (order) => bridge.move(order, 100);
  const { body } = await box.ask("POST", "/v1/axes/x1/commands", MOVE);
  await box.until(async () => (await box.events("axis-x1")).some(({ type }) => type === "MotionStarted"));
  await box.end();
  return { directory: box.directory, commandId: String(body.commandId) };
}
const completed = async (box: ControllerRig) => {
  // The first of this life: a bridge that a busy machine keeps silent for long is read once more.
  const ofThisLife = ({ type, epoch }: { type: string; epoch: number }) =>
    type === "RecoveryCompleted" && epoch === box.log.epoch;
  const found = () => box.events("box-test_box").then((all) => all.find(ofThisLife));
  await box.until(async () => (await found()) !== undefined);
  const recorded = await found();
  return (recorded?.data as { axes: { axis: string; finding: string; action: string }[] } | undefined)?.axes ?? [];
};

it("records its start and the configuration once, and the configuration again only when it has changed", async () => {
  const first = await (await ControllerRig.start()).ready();
  await completed(first);
  await first.end();
  const second = await ControllerRig.start({ directory: first.directory });
  await completed(second);
  await second.end();
  const { config } = second;
  const third = await rig({ directory: first.directory, config: { ...config, groups: [] } });
  await completed(third);
  const kinds = (await third.events("box-test_box")).map(({ type }) => type);
  expect(kinds.filter((type) => type === "FleetConfigured")).toHaveLength(2);
  expect(kinds.filter((type) => type === "BoxStarted")).toHaveLength(3);
});

it("asks what became of an open move, takes in-position for its end, and sends nothing again", async () => {
  const { directory, commandId } = await endedMoving();
  const box = await rig({
    directory,
    bridge: { bridgeBoot: "next", found: { enabled: true, homed: true, positionCounts: 5000 } },
  });
  const axes = await completed(box);
  expect(axes.find(({ axis }) => axis === "x1")).toEqual({
    axis: "x1",
    finding: "in-position",
    action: "succeeded (inferred)",
  });
  expect((await box.log.readCommand(commandId)).at(-1)?.type).toBe("CommandSucceeded");
  expect(box.bridge?.orders).toEqual([]);
  expect(box.bridge?.stops).toEqual([]);
});

it("stops an axis that it finds moving after a restart, and only then is ready", async () => {
  const { directory, commandId } = await endedMoving();
  const box = await rig({
    directory,
    bridge: { bridgeBoot: "next", found: { enabled: true, homed: true, moving: true, positionCounts: 300 } },
  });
  await completed(box);
  await box.until(() => (box.bridge?.stops.length ?? 0) >= 3);
  expect(box.bridge?.stops).toContainEqual(expect.objectContaining({ axis: "x1", reason: "restart-recovery" }));
  // The other two move without a command of ours.
  expect(box.bridge?.stops).toContainEqual(expect.objectContaining({ axis: "z1", reason: "unexpected-motion" }));
  expect((await box.log.readCommand(commandId)).at(-1)?.type).toBe("CommandStopped");
  expect(box.bridge?.orders).toEqual([]);
});

it("gives up on a drive that stays silent, keeps its command open for a person, and is ready for the others", async () => {
  const { directory, commandId } = await endedMoving();
  const box = await rig({
    directory,
    // The first command comes before it gives up, however slow the host is.
    clock: new FakeClock(),
    bridge: { bridgeBoot: "next", found: { online: false, offlineReason: "no answer", reads: 0 } },
  });
  const early = await box.ask("POST", "/v1/axes/x1/commands", MOVE);
  expect([early.status, early.body.type]).toEqual([503, "/problems/service-unavailable"]);
  const axes = await completed(box);
  expect(axes.map(({ finding }) => finding)).toEqual(["silent", "silent", "silent"]);
  expect((await box.log.readCommand(commandId)).at(-1)?.type).toBe("CommandIndeterminate");
  await box.ready();
  const refused = await box.ask("POST", "/v1/axes/x1/commands", MOVE);
  expect([refused.status, refused.body.type]).toEqual([409, "/problems/reconcile-required"]);
});

it("tells the composition that the bridge is lost, and the next one hears stop before anything else", async () => {
  const box = await (await rig()).ready();
  const { bridge } = box;
  if (bridge) bridge.onOrder = (order) => bridge.move(order, 100);
  const { body } = await box.ask("POST", "/v1/axes/x1/commands", MOVE);
  await box.until(async () => (await box.events("axis-x1")).some(({ type }) => type === "MotionStarted"));
  bridge?.die();
  await box.until(() => box.lost.length === 1);
  expect(box.lost[0]).toContain("500 ms");
  const refused = await box.ask("POST", "/v1/axes/x2/commands", MOVE);
  expect([refused.status, refused.body.type]).toEqual([409, "/problems/axis-offline"]);
  const next = box.newBridge({ found: { enabled: true, homed: true, moving: false, positionCounts: 200 } });
  await box.until(() => next.heard.length > 1);
  expect(next.heard[0]).toMatchObject({ type: "stop", stop: { axis: "x1" } });
  await box.ready();
  const kinds = async () => (await box.events("box-test_box")).map(({ type }) => type);
  await box.until(async () => (await kinds()).filter((type) => type === "BridgeStarted").length === 2);
  expect(await kinds()).toContain("BridgeLost");
  expect(
    (await box.log.readCommand(String(body.commandId))).filter(({ type }) => type === "CommandStopped"),
  ).toHaveLength(1);
  expect(next.orders).toEqual([]);
});

it("calls no link up that no bridge watches, and believes the next bridge", async () => {
  const box = await (await rig()).ready();
  const up: Report = { type: "link-status", link: "line_a" as never, up: true, reason: null, atUs: 1 };
  const told = async () => (await box.events("link-line_a")).map(({ type }) => type);
  box.bridge?.report(up);
  await box.until(async () => (await told()).length === 1);
  box.bridge?.die();
  await box.until(async () => (await told()).length === 2);
  expect((await box.events("link-line_a"))[1]?.data).toMatchObject({
    reason: expect.stringContaining("bridge is lost"),
  });
  expect(await box.events("link-cell_2")).toEqual([]);
  box.newBridge().report(up);
  await box.until(async () => (await told()).length === 3);
  expect(await told()).toEqual(["LinkWentUp", "LinkWentDown", "LinkWentUp"]);
});

it("stops at once what starts to move without a command", async () => {
  const box = await (await rig()).ready();
  box.bridge?.reading(x1, { moving: true });
  await box.until(() => box.bridge?.stops.length === 1);
  expect(box.bridge?.stops[0]).toMatchObject({ axis: "x1", reason: "unexpected-motion" });
  await box.until(async () => (await box.events("axis-x1")).some(({ type }) => type === "StopConfirmed"));
  expect(box.bridge?.stops).toHaveLength(1);
});

it("takes each report once, in order, and has missing ones repeated", async () => {
  const box = await (await rig()).ready();
  const { bridge } = box;
  const link = (up: boolean, reason: string): Report => ({
    type: "link-status",
    link: "line_a" as never,
    up,
    reason,
    atUs: 1,
  });
  bridge?.reportLost(link(false, "first"));
  bridge?.report(link(true, "second"));
  bridge?.report(link(false, "third"));
  await box.until(async () => (await box.events("link-line_a")).length === 3);
  const told = (await box.events("link-line_a")).map(({ type, data }) => [type, (data as { reason?: string }).reason]);
  expect(told).toEqual([
    ["LinkWentDown", "first"],
    ["LinkWentUp", undefined],
    ["LinkWentDown", "third"],
  ]);
});

it("lets axes move again once a start that a full disk has held up is recorded, and not before", async () => {
  // The next attempt at the start comes when the test lets it come.
  const clock = new FakeClock();
  const log = new MemoryEventLog({ clock, random: systemRandom() });
  log.close = async () => undefined;
  const openLog = async () => log;
  const first = await (await ControllerRig.start({ clock, openLog })).ready();
  await completed(first);
  await first.end();
  log.trouble = "log-full";
  const box = await rig({ clock, directory: first.directory, openLog, bridge: { bridgeBoot: "next" } });
  await box.until(() => box.complaints.some((words) => words.includes("the start could not be recorded")));
  await box.until(() => box.bridge?.heard.some(({ type }) => type === "describe") === true);
  log.trouble = null;
  expect((await box.ask("POST", "/v1/axes/x1/commands", MOVE)).status).toBe(503);
  const starts = async () => (await box.events("box-test_box")).filter(({ type }) => type === "BoxStarted").length;
  await box.until(async () => (await starts()) === 2);
  await box.until(async () => (await box.ask("POST", "/v1/axes/x1/commands", MOVE)).status === 202);
});

it("stops first what moved, also when the next bridge is there before the last one was missed", async () => {
  const box = await (await rig()).ready();
  const { bridge } = box;
  if (bridge) bridge.onOrder = (order) => bridge.move(order, 100);
  await box.ask("POST", "/v1/axes/x1/commands", MOVE);
  await box.until(async () => (await box.events("axis-x1")).some(({ type }) => type === "MotionStarted"));
  bridge?.die();
  const next = box.newBridge({ found: { enabled: true, homed: true, moving: true, positionCounts: 300 } });
  await box.until(() => next.heard.length > 0);
  expect(next.heard[0]).toMatchObject({ type: "stop", stop: { axis: "x1", reason: "restart-recovery" } });
  expect(box.lost).toEqual([]);
});

it("gives up once more on a silent drive when a full disk has refused to record it", async () => {
  const { directory, commandId } = await endedMoving();
  let refusals = 0;
  const openLog: RigOptions["openLog"] = async (path, clock, random) => {
    const log = await openEventLog({ directory: path, clock, random, box: "test_box" });
    const append = log.append.bind(log);
    log.append = (events, options) => {
      const full = refusals === 0 && events.some(({ event }) => event.type === "CommandIndeterminate");
      if (!full) return append(events, options);
      refusals += 1;
      return Promise.reject(new LogError("log-full", {}, "no space left"));
    };
    return log;
  };
  const box = await rig({ directory, openLog, bridge: { bridgeBoot: "next", found: { online: false, reads: 0 } } });
  await box.until(async () => (await box.log.readCommand(commandId)).at(-1)?.type === "CommandIndeterminate");
  expect(refusals).toBe(1);
  expect(box.bridge?.orders).toEqual([]);
});

it("asks the next bridge for an end that the one before it told while the disk was busy, and that the disk then refused", async () => {
  const { openLog, log } = gatedLog();
  const box = await (await rig({ openLog })).ready();
  await completed(box);
  const { bridge } = box;
  const gate = log();
  if (!bridge) throw new Error("no bridge");
  bridge.onOrder = (order) => bridge.acknowledge(order);
  const { body } = await box.ask("POST", "/v1/axes/x1/commands", MOVE);
  const story = async () => (await box.log.readCommand(String(body.commandId))).map(({ type }) => type);
  await box.until(async () => (await story()).includes("DispatchAcknowledged"));
  gate.shut();
  const [order] = bridge.orders;
  if (order) bridge.finish(order);
  await box.until(() => gate.waiting.some(({ event }) => event.type === "CommandSucceeded"));
  bridge.die();
  const next = box.newBridge();
  next.status.set(x1, { ...next.status.get(x1), ...bridge.status.get(x1) } as AxisStatus);
  await box.until(() => next.heard.some(({ type }) => type === "describe"));
  gate.refuse = new LogError("log-full", {}, "no space left");
  gate.open();
  await box.until(() => gate.waiting.length === 0);
  expect((await story()).at(-1)).toBe("DispatchAcknowledged");
  gate.refuse = undefined;
  await box.until(async () => (await story()).at(-1) === "CommandSucceeded");
  expect(next.heard).toContainEqual(expect.objectContaining({ type: "settle" }));
  expect(next.orders).toEqual([]);
});
