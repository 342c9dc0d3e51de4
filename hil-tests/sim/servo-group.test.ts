import { until } from "@servofleet/firmware-bridge/link/testing/link-bench";
import { afterEach, describe, expect, test } from "vitest";
import { servosOnBus } from "./testing/servos-on-bus.ts";

type Bus = Awaited<ReturnType<typeof servosOnBus>>;
const open: Bus[] = [];
afterEach(async () => {
  for (const bus of open.splice(0)) await bus.close();
});

const UNITS = [3, 5, 7, 9];
const SYNC_READ = 0x82;
const SYNC_WRITE = 0x83;
const BULK_READ = 0x92;
const move = (targetCounts: number) =>
  ({ kind: "move-absolute", targetCounts, velocity: 800, acceleration: 8000, deceleration: 8000 }) as const;

async function servos(protocol: "dynamixel" | "feetech", movingMs?: number): Promise<Bus> {
  const bus = await servosOnBus(protocol, UNITS, movingMs);
  open.push(bus);
  return bus;
}

describe.each(["dynamixel", "feetech"] as const)("several %s servos on one pty", (protocol) => {
  /** Frames of an instruction that the bridge has sent to all. */
  const sentToAll = (bus: Bus, instruction: number): number =>
    bus.frames().filter(({ direction, hex }) => {
      const frame = Buffer.from(hex, "hex");
      const [id, at] = protocol === "dynamixel" ? [frame[4], 7] : [frame[2], 4];
      return direction === "tx" && id === 0xfe && frame[at] === instruction;
    }).length;
  const starts = (bus: Bus, unit: number, target: number) =>
    bus
      .drive(unit)
      .drive.record.list()
      .filter((one) => one.kind === "start-absolute" && one.target === target);

  test("orders that arrive together start by one frame, and the skew is told", async () => {
    const bus = await servos(protocol);
    await bus.all({ kind: "enable" });
    expect(sentToAll(bus, SYNC_WRITE)).toBe(0);
    // Where a busy host loses an answer on the way, its servo starts late: then it is done once more.
    let begun: ReturnType<typeof starts>[] = [];
    const areTogether = () => new Set(begun.map(([one]) => one?.atNs)).size === 1;
    for (const target of [2600, 1500, 2700, 1400, 2800]) {
      if (areTogether()) break;
      for (const report of await bus.all(move(target))) expect(report).toMatchObject({ type: "order-done" });
      begun = UNITS.map((unit) => starts(bus, unit, target));
      expect(begun.map((one) => one.length)).toEqual(UNITS.map(() => 1));
    }
    expect(areTogether()).toBe(true);
    expect(sentToAll(bus, SYNC_WRITE)).toBeGreaterThanOrEqual(1);
    const told = () => bus.stats.at(-1)?.groupStart;
    await until(() => told()?.axes.length === UNITS.length, "the figures tell it");
    expect(told()).toMatchObject({ sentSkewMs: 0 });
    // A busy host may look away for the whole of the motion.
    expect(told()?.seenSkewMs ?? 0).toBeGreaterThanOrEqual(0);
    expect([...(told()?.axes ?? [])].sort()).toEqual(UNITS.map((unit) => `s${unit}`));
  });

  test("an order alone waits for nobody and is answered by its servo", async () => {
    const bus = await servos(protocol);
    await bus.all({ kind: "enable" });
    const reports = bus.order(5, move(2500));
    await until(() => reports().some(({ type }) => type === "order-done"), "it is done");
    expect(sentToAll(bus, SYNC_WRITE)).toBe(0);
    expect(bus.stats.every(({ groupStart }) => groupStart === null)).toBe(true);
  });

  test("a stop keeps its own axis out of a start, and nobody else", async () => {
    const bus = await servos(protocol);
    await bus.all({ kind: "enable" });
    const orders = UNITS.map((unit) => bus.order(unit, move(2700)));
    bus.stop(5);
    const isEnded = (n: number) =>
      orders[n]?.().some(({ type }) => type !== "order-acknowledged" && type.startsWith("order-"));
    await until(() => UNITS.every((_, n) => isEnded(n)), "all orders have ended or run");
    await until(() => [3, 7, 9].every((unit) => starts(bus, unit, 2700).length === 1), "the others start");
    expect(starts(bus, 5, 2700)).toEqual([]);
    expect(bus.drive(5).drive.state().position).toBe(2048);
  });

  // The same on both buses above the packets, and settling takes its three seconds: once is enough.
  if (protocol === "dynamixel") {
    test("a servo that misses the starting frame is found out by reading, and nothing is sent twice", async () => {
      const bus = await servos(protocol);
      await bus.all({ kind: "enable" });
      bus.drive(7).add({ kind: "silence", on: "writes", times: 1 });
      const reports = await bus.all(move(2500));
      expect(reports.map((one) => one?.type)).toEqual(["order-done", "order-done", "order-unsettled", "order-done"]);
      expect(starts(bus, 7, 2500)).toEqual([]);
      expect(sentToAll(bus, SYNC_WRITE)).toBeLessThanOrEqual(1);
    });
  }

  test("a full line asks all servos by one frame; a silent one costs the others no value and no order", async () => {
    const bus = await servos(protocol, 5);
    const instruction = SYNC_READ;
    await until(() => sentToAll(bus, instruction) > 3, "reads that wait together are put together");
    await bus.all({ kind: "enable" });
    bus.drive(9).add({ kind: "silence" });
    await until(() => bus.status(9)?.online === false, "the silent one is seen");
    const rest = [3, 5, 7].map((unit) => bus.order(unit, move(2400)));
    await until(() => rest.every((of) => of().at(-1)?.type === "order-done"), "the others move");
    for (const unit of [3, 5, 7]) expect(Math.abs(bus.drive(unit).drive.state().position - 2400)).toBeLessThan(16);
    expect(starts(bus, 3, 2400)).toHaveLength(1);
    bus.drive(9).clear();
    await until(() => bus.status(9)?.online === true, "it is back");
    if (protocol === "feetech") expect(sentToAll(bus, BULK_READ)).toBe(0);
  });
});
