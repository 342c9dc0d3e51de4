import { FakeClock } from "@servofleet/runtime/fake-clock";
import { expect, it, onTestFinished } from "vitest";
import { LogError } from "../event-log/event-log.ts";
import { ControllerRig, type RigOptions } from "../testing/controller-rig.ts";
import { type GatedLog, gatedLog } from "../testing/gated-log.ts";

/** A box whose disk the test holds. */
async function gated(options: RigOptions = {}): Promise<{ box: ControllerRig; log: GatedLog }> {
  const gate = gatedLog();
  const box = await ControllerRig.start({ ...options, openLog: gate.openLog });
  const log = gate.log();
  onTestFinished(async () => {
    log.open();
    await box.kill();
  });
  await box.ready();
  // Ready comes a moment before its record: nothing of the start may stand in the gate.
  await box.until(async () => (await box.events()).some(({ type }) => type === "RecoveryCompleted"));
  return { box, log };
}
const move = (position: number, ttlMs?: number) => ({
  body: { type: "MoveAbsolute", position, ...(ttlMs ? { ttlMs } : {}) },
});
/** The bridge takes orders and says nothing, so that only what a test asks for stands in the gate. */
function mute({ bridge }: ControllerRig): void {
  if (bridge) bridge.onOrder = () => undefined;
}
const write = (value: number) => ({ body: { type: "WriteParameter", parameter: "positionGain", value } });
const types = (log: GatedLog): string[] => log.waiting.map(({ event }) => event.type);

it("writes ahead: acceptance and dispatch share an append, and no order leaves before it is on disk", async () => {
  const { box, log } = await gated();
  log.shut();
  const answer = box.ask("POST", "/v1/axes/x1/commands", move(5));
  await box.until(() => types(log).length > 0);
  expect(types(log)).toEqual(["MoveAccepted", "DispatchStarted", "AxisStateChanged"]);
  await box.until(async () => (await box.ask("GET", "/livez")).status === 200);
  expect(box.bridge?.orders).toEqual([]);
  log.step();
  expect((await answer).status).toBe(202);
  await box.until(() => box.bridge?.orders.length === 1);
  log.open();
});

it("dispatches what was accepted behind another one in an append of its own, and never ahead of that", async () => {
  const { box, log } = await gated();
  mute(box);
  log.shut();
  const first = box.ask("POST", "/v1/axes/x1/commands", write(1));
  await box.until(() => types(log).includes("DispatchStarted"));
  const second = box.ask("POST", "/v1/axes/x1/commands", write(2));
  await box.until(async () => (await box.ask("GET", "/livez")).status === 200);
  log.step();
  await first;
  await box.until(() => types(log).includes("ParameterWriteAccepted"));
  log.step();
  await second;
  await box.until(() => types(log).includes("DispatchStarted"));
  const values = () => box.bridge?.orders.map(({ action }) => "value" in action && action.value);
  expect(values()).toEqual([1]);
  log.open();
  await box.until(() => box.bridge?.orders.length === 2);
  expect(values()).toEqual([1, 2]);
});

it("holds nothing back when the append of acceptance and dispatch was refused", async () => {
  const { box, log } = await gated();
  log.refuse = new LogError("log-full", {}, "no space left");
  expect((await box.ask("POST", "/v1/axes/x1/commands", move(5))).status).toBe(503);
  log.refuse = undefined;
  expect(box.bridge?.orders).toEqual([]);
  expect((await box.ask("POST", "/v1/axes/x1/commands", move(6))).status).toBe(202);
  await box.until(() => box.bridge?.orders.length === 1);
  expect(box.bridge?.orders).toMatchObject([{ action: { kind: "move-absolute" } }]);
});

it("never sends a motion that was stopped while its dispatch was on the way to the disk", async () => {
  const { box, log } = await gated();
  log.shut();
  const answer = box.ask("POST", "/v1/axes/x1/commands", move(5));
  await box.until(() => types(log).includes("DispatchStarted"));
  const stopped = box.ask("POST", "/v1/axes/x1/stop");
  // The wire first: the bridge has the stop while the disk still holds everything back.
  await box.until(() => box.bridge?.stops.length === 1);
  log.open();
  expect((await stopped).status).toBe(200);
  const { body } = await answer;
  const story = await box.log.readCommand(String(body.commandId));
  expect(story.map(({ type }) => type)).toEqual(["MoveAccepted", "DispatchStarted", "CommandStopped"]);
  expect(box.bridge?.orders).toEqual([]);
});

it("expires a command whose time to start ran out while the disk was slow", async () => {
  const clock = new FakeClock();
  const { box, log } = await gated({ clock });
  log.shut();
  const first = box.ask("POST", "/v1/axes/x1/commands", write(1));
  await box.until(() => types(log).includes("DispatchStarted"));
  const moves = ["x1", "x2"].map((axis) => box.ask("POST", `/v1/axes/${axis}/commands`, move(5, 50)));
  await box.until(async () => (await box.ask("GET", "/livez")).status === 200);
  await clock.advance(60);
  log.step();
  await first;
  await box.until(() => types(log).includes("MoveAccepted"));
  log.open();
  const story = async (n: number) => {
    const { body } = (await moves[n]) ?? {};
    const ended = () => box.log.readCommand(String(body?.commandId));
    await box.until(async () => (await ended()).at(-1)?.type === "CommandExpired");
    return (await ended()).map(({ type }) => type);
  };
  // On x1 the lane was taken; on x2 the dispatch had been written ahead, and its order was kept back.
  expect(await story(0)).toEqual(["MoveAccepted", "CommandExpired"]);
  expect(await story(1)).toEqual(["MoveAccepted", "DispatchStarted", "CommandExpired"]);
  expect(box.bridge?.orders.map(({ action }) => action.kind)).toEqual(["write-parameter"]);
});

it("cancels what has not been sent, and answers with the cancelled command", async () => {
  const { box, log } = await gated();
  mute(box);
  const writeNext = (value: number) => box.ask("POST", "/v1/axes/x1/commands", write(value));
  log.shut();
  const first = writeNext(1);
  await box.until(() => types(log).includes("DispatchStarted"));
  const others = [writeNext(2), writeNext(3)];
  await box.until(async () => (await box.ask("GET", "/livez")).status === 200);
  log.step();
  await first;
  await box.until(() => types(log).filter((type) => type === "ParameterWriteAccepted").length === 2);
  log.step();
  const { body } = (await Promise.all(others))[1] ?? {};
  // The lane still waits for the write-ahead of the second.
  await box.until(() => types(log).includes("DispatchStarted"));
  const cancelled = box.ask("DELETE", `/v1/commands/${body?.commandId}`);
  await box.until(async () => (await box.ask("GET", "/livez")).status === 200);
  log.open();
  expect(await cancelled).toMatchObject({ status: 200, body: { commandId: body?.commandId, state: "cancelled" } });
  await box.until(() => box.bridge?.orders.length === 2);
  expect(box.bridge?.orders.map(({ commandId }) => commandId)).not.toContain(body?.commandId);
});

it("still ends a command whose successor was decided before its turn came, and was then refused by a full disk", async () => {
  const { box, log } = await gated();
  mute(box);
  const ask = (wish: Parameters<ControllerRig["ask"]>[2]) => box.ask("POST", "/v1/axes/x1/commands", wish);
  const heard = async () => (await box.ask("GET", "/livez")).status === 200;
  log.shut();
  const first = ask(write(1));
  await box.until(() => types(log).includes("DispatchStarted"));
  const [second, older] = [ask(write(2)), ask(move(5))];
  await box.until(heard);
  log.step();
  await first;
  await box.until(() => types(log).includes("MoveAccepted"));
  log.step();
  await second;
  const { body } = await older;
  // Behind the second one in the lane, whose write-ahead waits for the disk, the older move is superseded.
  await box.until(() => types(log).includes("DispatchStarted"));
  const newer = ask(move(6));
  await box.until(heard);
  log.step();
  await box.until(() => box.bridge?.orders.length === 2);
  await box.until(() => types(log).includes("CommandSuperseded"));
  await box.until(heard);
  log.refuse = new LogError("log-full", {}, "no space left");
  log.open();
  expect((await newer).status).toBe(503);
  log.refuse = undefined;
  await box.until(() => box.bridge?.orders.length === 3);
  expect(box.bridge?.orders[2]?.commandId).toBe(body.commandId);
});

it("sends only the newest of a thousand moves that supersede each other, and ends each exactly once", async () => {
  const { box } = await gated();
  const axes = ["x1", "x2", "z1"];
  const posts = Array.from({ length: 1000 }, (_, i) =>
    box.ask("POST", `/v1/axes/${axes[i % 3]}/commands`, move(i % 90)),
  );
  const answers = await Promise.all(posts);
  expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([202]));
  const ends = async () => {
    const stories = await Promise.all(answers.map(({ body }) => box.log.readCommand(String(body.commandId))));
    return stories.map((story) => story.map(({ type }) => type));
  };
  await box.until(async () => (await ends()).every((types) => /Succeeded|Superseded/.test(types.at(-1) ?? "")));
  for (const types of await ends()) {
    const terminal = types.filter((type) => /^Command(Succeeded|Superseded|Failed|Stopped|Expired)$/.test(type));
    expect(terminal).toHaveLength(1);
  }
  const sent = box.bridge?.orders.map(({ commandId }) => commandId) ?? [];
  expect(new Set(sent).size).toBe(sent.length);
  const unsent = (await ends()).filter((types) => !types.includes("DispatchStarted")).length;
  expect(sent.length + unsent).toBe(1000);
});

it("gives an order the rest of its time to start on the bridge's own clock", async () => {
  const { box } = await gated({ clock: new FakeClock() });
  const beforeMs = box.clock.monotonicMs();
  await box.ask("POST", "/v1/axes/x1/commands", move(5, 1000));
  await box.until(() => box.bridge?.orders.length === 1);
  const { notAfterMs = 0 } = box.bridge?.orders[0] ?? {};
  // The scripted bridge has our clock: the deadline is never later than the receipt plus the time to start.
  expect(notAfterMs).toBeGreaterThan(beforeMs);
  expect(notAfterMs).toBeLessThanOrEqual(box.clock.monotonicMs() + 1000);
});

it("never sends to a successor what was written ahead for the bridge before it", async () => {
  const { box, log } = await gated();
  log.shut();
  const answer = box.ask("POST", "/v1/axes/x1/commands", move(5));
  await box.until(() => types(log).includes("DispatchStarted"));
  box.bridge?.die();
  const next = box.newBridge();
  await box.until(() => next.heard.some(({ type }) => type === "describe"));
  log.open();
  const { body } = await answer;
  const ends = async () => (await box.log.readCommand(String(body.commandId))).map(({ type }) => type).slice(2);
  await box.until(async () => (await ends()).length > 0);
  await box.until(async () => (await box.ask("POST", "/v1/axes/x2/commands", move(5))).status === 202);
  await box.until(() => next.orders.some(({ axis }) => axis === "x2"));
  expect(next.orders.filter(({ axis }) => axis === "x1")).toEqual([]);
  expect(await ends()).toHaveLength(1);
});

it("settles by reading what the bus has lost on the way to a bridge that lives, and sends nothing again", async () => {
  // Its time to start must not run out on the way to the disk.
  const { box } = await gated({ clock: new FakeClock() });
  const { bridge } = box;
  if (bridge) bridge.onOrder = () => undefined;
  const { body } = await box.ask("POST", "/v1/axes/x1/commands", move(5, 50));
  const story = () => box.log.readCommand(String(body.commandId));
  await box.until(async () => (await story()).length > 2);
  expect((await story()).map(({ type }) => type)).toEqual(["MoveAccepted", "DispatchStarted", "CommandIndeterminate"]);
  expect(bridge?.orders).toHaveLength(1);
});
