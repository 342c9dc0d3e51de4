import type { EventData, EventType } from "@servofleet/contracts";
import { FakeClock } from "@servofleet/runtime/fake-clock";
import { describe, expect, it } from "vitest";
import { Projector } from "../read-model/projector.ts";
import { accepted, LOG_START_US, LogBuilder, testFleet } from "../testing/recorded-events.ts";
import { axisBoard } from "./axis-board.ts";
import type { AxisRow } from "./axis-row.ts";

/** A board over one axis, fed event by event. */
function board() {
  const log = new LogBuilder();
  const projector = new Projector(axisBoard, "L", new FakeClock());
  const feed = () => projector.handle(log.events.slice(projector.position));
  return {
    log,
    async tell<T extends EventType>(type: T, data: EventData<T>, commandId?: string): Promise<AxisRow> {
      log.add("axis-x1", type, data, commandId === undefined ? {} : { commandId });
      await feed();
      return projector.rows.get("x1") as AxisRow;
    },
    async configure(fleet = testFleet()): Promise<readonly AxisRow[]> {
      log.configured(fleet);
      await feed();
      return [...projector.rows.values()];
    },
  };
}
const at = (row: AxisRow) => [row.commanded, row.sent, row.acknowledged].map((target) => target?.position ?? null);
const sentAt = "2026-11-21T10:15:00.000000Z";
const acknowledged = { orderId: "o", targetCounts: 2000, settledByReading: false, frames: [] };

describe("the axis board", () => {
  it("shows intent, sent and acknowledged as three things that follow one another", async () => {
    const { configure, tell } = board();
    await configure();
    expect(at(await tell("MoveAccepted", accepted(10), "a"))).toEqual([10, null, null]);
    const sent = await tell("CommandSent", { orderId: "o", at: sentAt, frames: [] }, "a");
    expect(at(sent)).toEqual([10, 10, null]);
    expect(sent.sent?.us).toBe(LOG_START_US);
    expect(at(await tell("DispatchAcknowledged", { ...acknowledged, targetCounts: 1000 }, "a"))).toEqual([10, 10, 10]);
    expect(at(await tell("MoveAccepted", accepted(20), "b"))).toEqual([20, 10, 10]);
    expect(at(await tell("CommandSent", { orderId: "o", at: sentAt, frames: [] }, "b"))).toEqual([20, 20, 10]);
    expect(at(await tell("DispatchAcknowledged", acknowledged, "b"))).toEqual([20, 20, 20]);
  });

  it("has no target for a motion without one, and leaves it alone for what is no motion", async () => {
    const { configure, tell } = board();
    await configure();
    await tell("MoveAccepted", accepted(10), "a");
    expect(at(await tell("EnableAccepted", accepted(null, { commandType: "Enable" }), "e"))).toEqual([10, null, null]);
    expect(at(await tell("HomeAccepted", accepted(null, { commandType: "Home" }), "h"))).toEqual([null, null, null]);
  });

  it("moves what it shows of the past when the display is shifted", async () => {
    const { configure, tell, log } = board();
    await configure();
    await tell("MoveAccepted", accepted(10), "a");
    log.state({ position: 9 });
    const row = await tell("DisplayOffsetSet", { displayOffset: 100 });
    expect(row.commanded?.position).toBe(110);
    expect(row.position?.position).toBe(109);
    expect((await tell("CommandSent", { orderId: "o", at: sentAt, frames: [] }, "a")).sent?.position).toBe(110);
  });

  it("shows a stop at once and an offline drive with its reason", async () => {
    const { configure, tell } = board();
    await configure();
    const stop = { stopId: "s", stopGeneration: 1, scope: "axis", reason: "operator", principal: "local", at: sentAt };
    expect((await tell("StopLatched", stop)).stopLatched).toBe(true);
    expect((await tell("LatchReleased", { stopGeneration: 1 })).stopLatched).toBe(false);
    expect(await tell("AxisWentOffline", { reason: "no reply" })).toMatchObject({
      state: "offline",
      offlineReason: "no reply",
    });
  });

  it("hides an axis that is no longer configured, and knows its version when it comes back", async () => {
    const { configure, tell } = board();
    const fleet = testFleet();
    await configure(fleet);
    const { version } = await tell("AxisCameOnline", {});
    const without = await configure({ ...fleet, axes: fleet.axes.slice(1) });
    expect(without.filter((row) => row.configured).map((row) => row.id)).toEqual(["x2", "r1"]);
    const again = await configure(fleet);
    expect(again.find((row) => row.id === "x1")).toMatchObject({ configured: true, version });
  });
});
