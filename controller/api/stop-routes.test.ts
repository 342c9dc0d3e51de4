import type { AxisId, StopView } from "@servofleet/contracts";
import { FakeClock } from "@servofleet/runtime/fake-clock";
import { expect, it, onTestFinished } from "vitest";
import { LogError } from "../event-log/event-log.ts";
import { MemoryEventLog } from "../event-log/memory-event-log.ts";
import { ControllerRig, type RigOptions } from "../testing/controller-rig.ts";
import { gatedLog } from "../testing/gated-log.ts";

async function rig(options: RigOptions = {}): Promise<ControllerRig> {
  const started = await ControllerRig.start(options);
  onTestFinished(() => started.kill());
  return started;
}
const ready = async (options: RigOptions = {}) => (await rig(options)).ready();
const memoryLog = () => {
  let log: MemoryEventLog | undefined;
  const openLog: NonNullable<RigOptions["openLog"]> = async (_directory, clock, random) => {
    log = new MemoryEventLog({ clock, random });
    return log;
  };
  return { openLog, log: () => log as MemoryEventLog };
};
const items = (body: object) => (body as StopView).items;

it.each([
  ["/v1/axes/x1/stop", ["x1"], "axis"],
  ["/v1/groups/gantry/stop", ["x1", "x2"], "group:gantry"],
  ["/v1/links/line_a/stop", ["x1", "x2"], "link:line_a"],
  ["/v1/stop", ["x1", "x2", "z1"], "all"],
])("POST %s stops its axes, answers 200 when all acknowledged, and records each latch", async (path, axes, scope) => {
  // A disk may take as long as it likes: what is told as recorded is what the answer has waited for.
  const box = await ready({ clock: new FakeClock() });
  const answer = await box.ask("POST", path);
  expect(answer.status).toBe(200);
  expect(answer.body).toEqual({
    items: axes.map((axis) => ({ axis, result: "acknowledged", recorded: true, problem: null })),
  });
  expect(box.bridge?.stops.map(({ axis, reason }) => [axis, reason])).toEqual(axes.map((axis) => [axis, "person"]));
  const latched = (await box.events()).filter(({ type }) => type === "StopLatched");
  expect(latched.map(({ stream, data }) => [stream, (data as { scope: string }).scope])).toEqual(
    axes.map((axis) => [`axis-${axis}`, scope]),
  );
});

it("stops whatever the body, the content type, the key and the version say", async () => {
  const box = await ready();
  const odd = [
    { raw: "{ broken" },
    { raw: "x".repeat(200_000), headers: { "content-type": "text/plain" } },
    { body: { foreign: 1 }, headers: { "if-match": '"999"', "idempotency-key": "same" } },
    { body: {}, headers: { "if-match": '"1"', "idempotency-key": "same", prefer: "wait=0" } },
  ];
  for (const ask of odd) expect((await box.ask("POST", "/v1/axes/x1/stop", ask)).status).toBe(200);
  expect(box.bridge?.stops.map(({ stopGeneration }) => stopGeneration)).toEqual([1, 2, 3, 4]);
});

it("tells a stop again that the bus has lost on the way to a bridge that lives", async () => {
  const box = await ready({ clock: new FakeClock() });
  const { bridge } = box;
  let lost = 2;
  // A bridge whose own connection to the message server breaks for a moment misses no beat, but what was said meanwhile.
  if (bridge) bridge.onStop = (stop) => (lost-- > 0 ? undefined : bridge.acknowledgeStop(stop));
  const asked = box.ask("POST", "/v1/axes/x1/stop");
  // In virtual time: a host that looks away must not use up the time in which a stop is answered.
  await box.until(() => bridge?.stops.length === 3);
  const answer = await asked;
  expect([answer.status, items(answer.body)[0]?.result]).toEqual([200, "acknowledged"]);
  const told = bridge?.stops.map(({ stopId, stopGeneration }) => `${stopId} ${stopGeneration}`) ?? [];
  expect([told.length, new Set(told).size]).toEqual([3, 1]);
});

it("tells a bridge that appears how many stops each axis has had", async () => {
  const box = await ready();
  await box.ask("POST", "/v1/axes/x1/stop");
  await box.ask("POST", "/v1/axes/x1/stop");
  box.bridge?.die();
  const next = box.newBridge();
  await box.until(() => next.heard.some(({ type }) => type === "describe"));
  const told = next.heard.find(({ type }) => type === "describe");
  expect(told).toMatchObject({ stopGenerations: { x1: 2, x2: 0, z1: 0 } });
});

it("names what there is when a stop is for nothing known, and takes POST only", async () => {
  const box = await ready();
  const unknown = await box.ask("POST", "/v1/groups/gantri/stop");
  expect([unknown.status, unknown.body.type, unknown.body.remedy]).toEqual([
    404,
    "/problems/not-found",
    "one of gantry",
  ]);
  const wrong = await box.ask("GET", "/v1/stop");
  expect([wrong.status, wrong.headers["allow"]]).toEqual([405, "POST"]);
});

it("ends the move that was on its way, and refuses motion until the latch is released", async () => {
  const box = await ready();
  const { bridge } = box;
  if (bridge)
    bridge.onOrder = (order) => (order.action.kind === "move-absolute" ? bridge.move(order) : bridge.finish(order));
  const move = { type: "MoveAbsolute", position: 100 };
  const { body } = await box.ask("POST", "/v1/axes/x1/commands", { body: move });
  await box.until(async () => (await box.events()).some(({ type }) => type === "MotionStarted"));
  await box.ask("POST", "/v1/axes/x1/stop");
  const story = await box.log.readCommand(String(body.commandId));
  expect(story.at(-1)?.type).toBe("CommandStopped");
  const latched = await box.ask("POST", "/v1/axes/x1/commands", { body: move });
  expect([latched.status, latched.body.type]).toEqual([409, "/problems/stop-latched"]);
  const reset = { body: { type: "Reset" }, headers: { prefer: "wait=5" } };
  expect((await box.ask("POST", "/v1/axes/x1/commands", reset)).body["state"]).toBe("succeeded");
  expect((await box.ask("POST", "/v1/axes/x1/commands", { body: move })).status).toBe(202);
});

it("a Reset that comes before the first reading after its stop waits for it, and is refused when none comes", async () => {
  const box = await ready();
  const { bridge } = box;
  const x1 = "x1" as AxisId;
  let stopGeneration = 0;
  if (bridge)
    bridge.onStop = (stop) => {
      stopGeneration = stop.stopGeneration;
      bridge.report({ ...stop, type: "stop-result", result: "acknowledged", problem: null, atUs: 1, frames: [] });
    };
  const reset = () => box.ask("POST", "/v1/axes/x1/commands", { body: { type: "Reset" } });
  expect((await box.ask("POST", "/v1/axes/x1/stop")).status).toBe(200);
  const unread = await reset();
  expect([unread.status, unread.body.type]).toEqual([409, "/problems/axis-not-ready"]);
  expect(unread.body.detail).toContain("has not been read since the stop");
  const waiting = reset();
  bridge?.reading(x1, { positionCounts: 1 });
  bridge?.reading(x1, { positionCounts: 0, stopGeneration });
  expect((await waiting).status).toBe(202);
});

it("answers 202 with each axis's own result when not every axis acknowledged in time", async () => {
  const box = await ready();
  const { bridge } = box;
  const problem = { slug: "bus-timeout", detail: "no answer in 50 ms", remedy: "check the drive" } as const;
  if (bridge)
    bridge.onStop = (stop) => {
      if (stop.axis === "x1") bridge.acknowledgeStop(stop);
      if (stop.axis === "x2")
        bridge.report({ ...stop, type: "stop-result", result: "pending", problem, atUs: 1, frames: [] });
    };
  const answer = await box.ask("POST", "/v1/stop");
  expect(answer.status).toBe(202);
  expect(items(answer.body)).toMatchObject([
    { axis: "x1", result: "acknowledged", problem: null },
    { axis: "x2", result: "pending", problem: { type: "/problems/bus-timeout", status: 504 } },
    { axis: "z1", result: "pending", problem: null },
  ]);
});

it("works with a full log, keeps the latch, and records it when there is room again", async () => {
  const memory = memoryLog();
  const box = await ready({ openLog: memory.openLog });
  memory.log().trouble = "log-full";
  const refused = await box.ask("POST", "/v1/axes/x1/commands", { body: { type: "MoveAbsolute", position: 1 } });
  expect([refused.status, refused.body.type, refused.headers["retry-after"]]).toEqual([
    503,
    "/problems/log-unavailable",
    "1",
  ]);
  const stopped = await box.ask("POST", "/v1/axes/x1/stop");
  expect(items(stopped.body)).toEqual([{ axis: "x1", result: "acknowledged", recorded: false, problem: null }]);
  expect(box.bridge?.stops).toHaveLength(1);
  memory.log().trouble = null;
  const latched = await box.ask("POST", "/v1/axes/x1/commands", { body: { type: "MoveAbsolute", position: 1 } });
  expect([latched.status, latched.body.type]).toEqual([409, "/problems/stop-latched"]);
  await box.until(async () => (await box.events("axis-x1")).some(({ type }) => type === "StopConfirmed"));
  const kinds = (await box.events("axis-x1")).map(({ type }) => type);
  expect(kinds.filter((type) => type === "StopLatched")).toHaveLength(1);
});

it("works with a poisoned log, and asks to be replaced with exit code 70", async () => {
  const memory = memoryLog();
  const box = await ready({ openLog: memory.openLog });
  memory.log().trouble = "log-poisoned";
  const stopped = await box.ask("POST", "/v1/axes/x1/stop");
  expect(items(stopped.body)).toMatchObject([{ axis: "x1", result: "acknowledged", recorded: false }]);
  const refused = await box.ask("POST", "/v1/axes/x1/commands", { body: { type: "Enable" } });
  expect([refused.status, refused.body.type]).toEqual([503, "/problems/log-unavailable"]);
  await box.until(() => box.exits.length > 0);
  expect(box.exits).toEqual([70]);
});

it("tells the next bridge a stop whose acknowledgement a full log has refused", async () => {
  const memory = memoryLog();
  const box = await ready({ openLog: memory.openLog });
  memory.log().trouble = "log-full";
  const stopped = await box.ask("POST", "/v1/axes/x1/stop");
  expect(items(stopped.body)).toMatchObject([{ axis: "x1", result: "acknowledged", recorded: false }]);
  box.bridge?.die();
  memory.log().trouble = null;
  const next = box.newBridge();
  await box.until(() => next.heard.some((heard) => heard.type === "stop" && heard.stop.axis === "x1"));
  await box.until(async () => (await box.events("axis-x1")).some(({ type }) => type === "StopConfirmed"));
});

it("tells the next bridge a stop whose acknowledgement was on its way to the disk when its bridge went, and was refused", async () => {
  const { openLog, log } = gatedLog();
  const box = await ready({ openLog });
  await box.until(async () => (await box.events()).some(({ type }) => type === "RecoveryCompleted"));
  const gate = log();
  gate.shut();
  const stopped = box.ask("POST", "/v1/axes/x1/stop");
  await box.until(
    () => box.bridge?.stops.length === 1 && gate.waiting.some(({ event }) => event.type === "StopLatched"),
  );
  // The acknowledgement has come, but stands behind the latch on the way to the disk.
  await box.until(async () => (await box.ask("GET", "/livez")).status === 200);
  box.bridge?.die();
  const next = box.newBridge();
  await box.until(() => next.heard.some(({ type }) => type === "describe"));
  expect(next.stops).toEqual([]);
  gate.refuse = new LogError("log-full", {}, "no space left");
  gate.open();
  await box.until(() => next.stops.some(({ axis }) => axis === "x1"));
  gate.refuse = undefined;
  await stopped;
  await box.until(async () => (await box.events("axis-x1")).some(({ type }) => type === "StopConfirmed"));
});

it("a log that breaks while nobody writes is noticed, and the process asks to be replaced", async () => {
  const memory = memoryLog();
  const box = await ready({ openLog: memory.openLog });
  memory.log().trouble = "log-poisoned";
  await box.until(() => box.exits.length > 0);
  expect(box.exits).toEqual([70]);
});

it("answers at once while no bridge is there, and the next bridge hears the stop first", async () => {
  const box = await rig({ clock: new FakeClock(), bridge: null });
  box.pair.disconnect();
  const stopped = await box.ask("POST", "/v1/axes/x2/stop");
  expect(stopped.status).toBe(202);
  expect(items(stopped.body)).toEqual([{ axis: "x2", result: "pending", recorded: true, problem: null }]);
  box.pair.connect();
  const bridge = box.newBridge();
  await box.until(() => bridge.heard.length > 1);
  expect(bridge.heard[0]).toMatchObject({ type: "stop", stop: { axis: "x2", stopGeneration: 1, reason: "person" } });
});

it("tells the stop of a former life again until a drive has acknowledged it", async () => {
  const first = await ready();
  if (first.bridge) first.bridge.onStop = () => undefined;
  await first.ask("POST", "/v1/axes/x1/stop");
  await first.end();
  const second = await rig({ directory: first.directory });
  await second.until(() => (second.bridge?.stops.length ?? 0) > 0);
  expect(second.bridge?.heard[0]).toMatchObject({ type: "stop", stop: { axis: "x1", stopGeneration: 1 } });
});

it("takes stops while it shuts down, and nothing else", async () => {
  const box = await ready();
  const { bridge } = box;
  let goOn: () => void = () => undefined;
  if (bridge) {
    const die = bridge.onGone;
    const realDie = bridge.die.bind(bridge);
    bridge.die = () => undefined;
    bridge.onGone = () => undefined;
    goOn = () => {
      realDie();
      die();
    };
  }
  const closed = box.controller.close();
  await box.until(() => bridge?.heard.some(({ type }) => type === "shut-down") === true);
  const refused = await box.ask("POST", "/v1/axes/x1/commands", { body: { type: "Enable" } });
  expect([refused.status, refused.body.type]).toEqual([503, "/problems/shutting-down"]);
  expect((await box.ask("POST", "/v1/axes/x1/stop")).status).toBe(200);
  expect((await box.ask("GET", "/readyz")).status).toBe(503);
  goOn();
  await closed;
  expect((await box.events("box-test_box")).at(-1)?.type).toBe("BoxStopped");
});
