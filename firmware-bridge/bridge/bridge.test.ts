import type {
  AxisConfig,
  AxisId,
  BridgeBeat,
  CommandId,
  FleetConfig,
  Order,
  OrderAction,
  Report,
  ReportMessage,
} from "@servofleet/contracts";
import { FakeClock, seededRandom } from "@servofleet/runtime/fake-clock";
import type { MessageBus } from "@servofleet/runtime/message-bus";
import { expect, test } from "vitest";
import { MemoryLink } from "../axis/testing/memory-link.ts";
import { axisConfig, silentLog } from "../axis/testing/test-axis.ts";
import { TestPathTable } from "../axis/testing/test-path-table.ts";
import { loadProfile } from "../profile/load-profile.ts";
import { startBridge } from "./bridge.ts";

const X1 = "x1" as AxisId;
const rates = { velocity: 50_000, acceleration: 500_000, deceleration: 500_000 };

/** A bus of two ends in one process; what is published while it is cut off is gone. */
class LocalBus implements MessageBus {
  connected = true;
  readonly #handlers = new Map<string, Set<(message: never) => void>>();
  publish: MessageBus["publish"] = (channel, message) => {
    if (!this.connected) return false;
    for (const handler of this.#handlers.get(channel) ?? []) handler(message as never);
    return true;
  };
  subscribe: MessageBus["subscribe"] = (channel, handler) => {
    const set = this.#handlers.get(channel) ?? new Set();
    this.#handlers.set(channel, set.add(handler as (message: never) => void));
    return () => void set.delete(handler as (message: never) => void);
  };
  onConnection = () => () => undefined;
  close = async () => undefined;
}

const fleetOf = (axis: AxisConfig): FleetConfig => ({
  box: "box_1" as FleetConfig["box"],
  data: "/nowhere",
  http: { host: "127.0.0.1", port: 0 },
  messaging: "embedded",
  links: [
    {
      id: axis.link,
      kind: "modbus-rtu",
      port: "/nowhere",
      baud: 38400,
      parity: "none",
      stopBits: 1,
      stopWaitMaxMs: 50,
    },
  ],
  axes: [axis],
  groups: [],
});

async function rig(change: Partial<ReturnType<typeof axisConfig>> = {}) {
  const clock = new FakeClock();
  const drive = new TestPathTable(clock);
  drive.enabled = true;
  const link = new MemoryLink("line_a", clock, new Map([[3, drive]]));
  const bus = new LocalBus();
  const messages: ReportMessage[] = [];
  const beats: BridgeBeat[] = [];
  const said: string[] = [];
  bus.subscribe("reports", (message) => void (messages.push(message) && said.push("report")));
  bus.subscribe("bridge-beats", (beat) => void (beats.push(beat) && said.push("beat")));
  const config = fleetOf({ ...axisConfig("x1", 3, "leadshine-icl-rs"), ...change });
  const bridge = await startBridge({
    config,
    bus,
    clock,
    random: seededRandom(1),
    createLink: () => link,
    loadProfile,
    log: silentLog,
  });
  const controller = {
    epoch: 1,
    beating: true,
    seen: null as number | null,
    boot: bridge.boot as string | null,
    seq: 0,
  };
  clock.every(100, () => {
    const { epoch, boot: bridgeBoot } = controller;
    const reportsSeen = controller.seen ?? messages.at(-1)?.seq ?? 0;
    if (controller.beating) bus.publish("controller-beats", { epoch, seq: ++controller.seq, reportsSeen, bridgeBoot });
  });
  await clock.advance(1000);
  const reports = (): Report[] => messages.map(({ report }) => report);
  let orders = 0;
  const order = (action: OrderAction, more: Partial<Order> = {}) => {
    const n = ++orders;
    const base = {
      orderId: `o${n}`,
      commandId: `c${n}` as CommandId,
      axis: X1,
      epoch: controller.epoch,
      stopGeneration: 0,
      leaseSequence: 0,
    };
    bus.publish("orders", {
      type: "order",
      order: { ...base, notAfterMs: clock.monotonicMs() + 5000, action, ...more },
    });
    return () => reports().filter((report) => "commandId" in report && report.commandId === `c${n}`);
  };
  return { clock, drive, link, bus, messages, beats, said, bridge, controller, reports, order };
}
const move = { kind: "move-absolute", targetCounts: 90_000, ...rates } as const;

test("the bridge says who it is, beats ten times a second and numbers its reports without gap", async () => {
  const { messages, beats, bridge, reports } = await rig();
  expect(reports()[0]).toMatchObject({
    type: "bridge-ready",
    bridgeBoot: bridge.boot,
    axes: [{ axis: "x1", positionWindowCounts: 10 }],
  });
  expect(beats.length).toBeGreaterThanOrEqual(9);
  expect(beats.at(-1)).toMatchObject({ bridgeBoot: bridge.boot, reportSeq: messages.length });
  expect(messages.map(({ seq }) => seq)).toEqual(messages.map((_, n) => n + 1));
});

test("a bridge's first word is a beat: nothing it reports is taken for its predecessor's", async () => {
  const { said } = await rig();
  expect(said.slice(0, 2)).toEqual(["beat", "report"]);
});

test("a bridge that started anew counts its own stops on from the controller's, so that they are news and older orders are refused", async () => {
  const { clock, drive, bus, order, reports } = await rig();
  // The log knows seven stops; this bridge has heard of none.
  const running = order(move, { stopGeneration: 7 });
  await clock.advance(300);
  expect(drive.motor.running).toBe(true);
  drive.motor.place(101_000);
  drive.motor.go(400_000, 50_000);
  await clock.advance(300);
  expect(running().at(-1)).toMatchObject({ type: "order-aborted", by: "limit" });
  const own = { type: "stop-result", reason: "limit", stopGeneration: 8 };
  expect(reports()).toContainEqual(expect.objectContaining(own));
  const late = order({ ...move, targetCounts: 1000 }, { stopGeneration: 7 });
  await clock.advance(300);
  expect(late()).toMatchObject([{ type: "order-refused", reason: "stale-generation" }]);
  expect(drive.motor.running).toBe(false);
  bus.publish("orders", { type: "describe", epoch: 1, stopGenerations: { [X1]: 12 } });
  expect(reports().at(-2)).toMatchObject({ type: "axis-status", status: { stopGeneration: 12 } });
});

test("a controller that falls silent stops the moving axis, and its orders are refused until it is heard again", async () => {
  const { clock, drive, controller, order, reports } = await rig();
  const running = order(move);
  await clock.advance(300);
  expect(drive.motor.running).toBe(true);
  controller.beating = false;
  await clock.advance(800);
  expect(drive.motor.running).toBe(false);
  expect(running().at(-1)).toMatchObject({ type: "order-aborted", by: "policy", detail: "controller-lost" });
  expect(reports()).toContainEqual(
    expect.objectContaining({ type: "stop-result", reason: "controller-lost", stopGeneration: 1 }),
  );
  const orphan = order(move, { stopGeneration: 1 });
  await clock.advance(50);
  expect(orphan()).toMatchObject([{ type: "order-refused", reason: "not-ready" }]);
  controller.beating = true;
  await clock.advance(200);
  expect(drive.motor.running).toBe(false);
  const next = order({ ...move, targetCounts: drive.motor.position + 1000 }, { stopGeneration: 1 });
  await clock.advance(1000);
  expect(next().at(-1)).toMatchObject({ type: "order-done" });
});

test("with onControllerLost finish the running move goes to its end", async () => {
  const { clock, drive, controller, order, link } = await rig({ onControllerLost: "finish" });
  order(move);
  await clock.advance(300);
  controller.beating = false;
  await clock.advance(4000);
  expect(drive.motor.position).toBe(90_000);
  expect(link.writes().some((seen) => seen.class === "stop")).toBe(false);
});

test("beats and orders of an older epoch count for nothing once a newer controller was heard", async () => {
  const { clock, controller, order, drive } = await rig();
  const running = order(move);
  await clock.advance(200);
  controller.epoch = 2;
  await clock.advance(200);
  controller.epoch = 1;
  const old = order({ ...move, targetCounts: 5 });
  await clock.advance(50);
  expect(old()).toMatchObject([{ type: "order-refused", reason: "stale-epoch" }]);
  expect(drive.motor.running).toBe(true);
  await clock.advance(800);
  expect(running().at(-1)).toMatchObject({ type: "order-aborted", by: "policy" });
});

test("a bridge that never hears a controller stops what moves, after it was read", async () => {
  const clock = new FakeClock();
  const drive = new TestPathTable(clock);
  const link = new MemoryLink("line_a", clock, new Map([[3, drive]]));
  drive.motor.go(90_000, 1000);
  const parts = {
    config: fleetOf(axisConfig("x1", 3, "leadshine-icl-rs")),
    bus: new LocalBus(),
    clock,
    log: silentLog,
  };
  await startBridge({ ...parts, random: seededRandom(2), createLink: () => link, loadProfile });
  await clock.advance(1000);
  expect(drive.motor.running).toBe(false);
  expect(link.seen[0]?.request.fn).toBe("read");
});

test("reports that the controller has not seen are repeated, those it has are not", async () => {
  const { clock, bus, messages, controller } = await rig();
  const before = messages.at(-1)?.seq ?? 0;
  controller.seen = before;
  bus.publish("orders", { type: "describe", epoch: 1, stopGenerations: {} });
  messages.length = 0;
  await clock.advance(1000);
  expect(new Set(messages.map(({ seq }) => seq))).toEqual(new Set([before + 1, before + 2, before + 3]));
  controller.seen = before + 3;
  await clock.advance(100);
  messages.length = 0;
  await clock.advance(1000);
  expect(messages).toEqual([]);
});

test("describe tells who the bridge is, every axis and every link again", async () => {
  const { bus, messages } = await rig();
  messages.length = 0;
  bus.publish("orders", { type: "describe", epoch: 1, stopGenerations: {} });
  expect(messages.map(({ report }) => report.type)).toEqual(["bridge-ready", "axis-status", "link-status"]);
});

test("shut-down stops a moving axis, waits for its standstill, then closes; an older controller cannot ask for it", async () => {
  const { clock, bus, drive, order, bridge, link } = await rig();
  bus.publish("orders", { type: "shut-down", epoch: 0 });
  order(move);
  await clock.advance(300);
  expect(drive.motor.running).toBe(true);
  let closed = false;
  void bridge.closed.then(() => {
    closed = true;
  });
  bus.publish("orders", { type: "shut-down", epoch: 1 });
  const late = order(move, { stopGeneration: 9 });
  await clock.advance(2000);
  expect(late()).toMatchObject([{ type: "order-refused", reason: "not-ready" }]);
  expect(drive.motor.running).toBe(false);
  expect(closed).toBe(true);
  expect(link.up).toBe(false);
});

test("an axis that is to be left keeps moving through a shut-down", async () => {
  const { clock, bus, drive, order, bridge } = await rig({ onShutdown: "leave" });
  order(move);
  await clock.advance(300);
  bus.publish("orders", { type: "shut-down", epoch: 1 });
  await clock.advance(200);
  await bridge.closed;
  expect(drive.motor.running).toBe(true);
});

test("orders and stops for an axis that is not here are answered, never swallowed", async () => {
  const { bus, order, reports } = await rig();
  const lost = order(move, { axis: "y9" as AxisId });
  expect(lost()).toMatchObject([{ type: "order-refused" }]);
  bus.publish("stops", { stopId: "s9", axis: "y9" as AxisId, epoch: 1, stopGeneration: 1, reason: "person" });
  expect(reports().at(-1)).toMatchObject({ type: "stop-result", stopId: "s9", result: "failed" });
});
