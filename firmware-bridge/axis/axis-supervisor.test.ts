import type { CommandId } from "@servofleet/contracts";
import { FakeClock } from "@servofleet/runtime/fake-clock";
import { expect, test } from "vitest";
import { type Fate, MemoryLink } from "./testing/memory-link.ts";
import { axisConfig, ended, TestAxis, typesOf } from "./testing/test-axis.ts";
import { TestPathTable } from "./testing/test-path-table.ts";

const UNIT = 3;
const rates = { velocity: 50_000, acceleration: 500_000, deceleration: 500_000 };

async function rig() {
  const clock = new FakeClock();
  const drive = new TestPathTable(clock);
  drive.enabled = true;
  const link = new MemoryLink("line_a", clock, new Map([[UNIT, drive]]));
  const axis = new TestAxis(clock, link, axisConfig("x1", UNIT, "leadshine-icl-rs"));
  await axis.until(() => axis.supervisor.status().reads >= 2);
  return { clock, drive, link, axis };
}
const forWrites = (link: MemoryLink, fate: Fate) => {
  let once = true;
  link.fate = ({ request }) => {
    if (request.fn === "read" || !once) return "answer";
    once = false;
    return fate;
  };
};

test("a move whose answer was lost but which runs is acknowledged by reading, and was sent once", async () => {
  const { axis, link } = await rig();
  forWrites(link, "lost-reply");
  const move = axis.order({ kind: "move-absolute", targetCounts: 30_000, ...rates });
  await axis.until(() => ended(move()));
  expect(typesOf(move())).toEqual([
    "order-sent",
    "order-unknown",
    "order-acknowledged",
    "motion-started",
    "order-done",
  ]);
  expect(move()).toContainEqual(expect.objectContaining({ type: "order-acknowledged", settledByReading: true }));
  expect(link.writes()).toHaveLength(1);
});

test("a move that never arrived stays unsettled after three seconds of reading, and is not sent again", async () => {
  const { axis, link, drive, clock } = await rig();
  forWrites(link, "lost-request");
  const move = axis.order({ kind: "move-absolute", targetCounts: 30_000, ...rates });
  await axis.until(() => ended(move()), 4000);
  expect(typesOf(move())).toEqual(["order-sent", "order-unknown", "order-unsettled"]);
  await clock.advance(5000);
  expect(link.writes()).toHaveLength(1);
  expect(drive.motor.position).toBe(0);
});

test("an order that was late, of an old epoch, or without a heard controller leaves no byte", async () => {
  const { axis, link, clock } = await rig();
  const move = { kind: "move-absolute", targetCounts: 30_000, ...rates } as const;
  const late = axis.order(move, { notAfterMs: clock.monotonicMs() - 1 });
  axis.gate.epoch = 5;
  const old = axis.order(move, { epoch: 4 });
  axis.gate.controllerSilent = "its last beat came 600 ms ago";
  const orphan = axis.order(move, { epoch: 5 });
  await clock.advance(100);
  expect([late(), old(), orphan()].map((reports) => reports.at(-1))).toMatchObject([
    { type: "order-refused", reason: "expired" },
    { type: "order-refused", reason: "stale-epoch" },
    { type: "order-refused", reason: "not-ready" },
  ]);
  expect(link.writes()).toEqual([]);
});

test("the same order twice is sent once", async () => {
  const { axis, link, clock } = await rig();
  const move = axis.order({ kind: "move-absolute", targetCounts: 30_000, ...rates }, { orderId: "same" });
  axis.order({ kind: "move-absolute", targetCounts: 30_000, ...rates }, { orderId: "same" });
  await axis.until(() => ended(move()));
  await clock.advance(1000);
  expect(link.writes()).toHaveLength(1);
});

test("of moves that pile up only the newest is sent; the others were never on the wire", async () => {
  const { axis, link } = await rig();
  const moves = [10_000, 20_000, 30_000].map((targetCounts) =>
    axis.order({ kind: "move-absolute", targetCounts, ...rates }),
  );
  await axis.until(() => moves.every((reports) => ended(reports())));
  expect(moves.map((reports) => reports().at(-1)?.type)).toEqual(["order-refused", "order-refused", "order-done"]);
  expect(link.writes().filter((seen) => seen.request.address === 0x6200)).toHaveLength(1);
});

test("a silent unit goes offline with its reason, and comes back by itself with a read before any write", async () => {
  const { axis, link, clock } = await rig();
  link.fate = () => "lost-request";
  await clock.advance(1500);
  expect(axis.supervisor.status()).toMatchObject({
    online: false,
    offlineReason: "unit 3 on line_a has not answered 3 requests",
  });
  const refused = axis.order({ kind: "move-absolute", targetCounts: 30_000, ...rates });
  await axis.until(() => ended(refused()));
  expect(refused()).toMatchObject([{ type: "order-refused", reason: "axis-offline" }]);
  link.fate = () => "answer";
  await axis.until(() => axis.supervisor.status().online);
  expect(link.writes()).toEqual([]);
  const told = axis.reports.flatMap((report) => (report.type === "axis-status" ? [report.status.online] : []));
  expect(told.slice(-2)).toEqual([false, true]);
});

test("polls are fast while the axis moves and slow at rest, with one status report per change", async () => {
  const { axis, clock } = await rig();
  await clock.advance(1000);
  const before = axis.samples.length;
  await clock.advance(2000);
  const idle = axis.samples.length - before;
  axis.order({ kind: "move-absolute", targetCounts: 90_000, ...rates });
  await clock.advance(1000);
  expect(idle).toBeLessThanOrEqual(11);
  expect(axis.samples.length - before - idle).toBeGreaterThan(40);
  const statuses = axis.reports.filter((report) => report.type === "axis-status").length;
  await clock.advance(500);
  expect(axis.reports.filter((report) => report.type === "axis-status").length).toBe(statuses);
});

test("settle answers from two fresh readings and writes nothing", async () => {
  const { axis, link, drive, clock } = await rig();
  drive.motor.place(4000);
  await clock.advance(500);
  const ask = (n: string, targetCounts: number | null) =>
    axis.supervisor.settle({ commandId: n as CommandId, axis: axis.supervisor.config.id, epoch: 1, targetCounts });
  ask("a", 4003);
  ask("b", 9000);
  await clock.advance(500);
  drive.motor.go(9000, 1000);
  ask("c", 9000);
  await clock.advance(500);
  const found = axis.reports.flatMap((report) =>
    report.type === "settled" ? [[report.commandId, report.finding]] : [],
  );
  expect(found).toEqual([
    ["a", "in-position"],
    ["b", "standing-elsewhere"],
    ["c", "moving"],
  ]);
  expect(link.writes()).toEqual([]);
});

test("an axis that runs out beyond its limit is stopped, and its order ends by the limit", async () => {
  const { axis, drive, link } = await rig();
  const move = axis.order({ kind: "move-absolute", targetCounts: 200_000, ...rates });
  await axis.until(() => ended(move()));
  expect(move().at(-1)).toMatchObject({ type: "order-aborted", by: "limit" });
  expect(link.writes().at(-1)).toMatchObject({ class: "stop" });
  expect(axis.reports).toContainEqual(
    expect.objectContaining({ type: "stop-result", reason: "limit", stopGeneration: 1 }),
  );
  expect(drive.motor.running).toBe(false);
});

test("a command's frames stay below their bound and keep the confirmation", async () => {
  const { axis } = await rig();
  const move = axis.order({ kind: "move-absolute", targetCounts: 60_000, ...rates });
  await axis.until(() => ended(move()));
  const frames = move().flatMap((report) => ("frames" in report ? report.frames : []));
  expect(frames.reduce((sum, frame) => sum + frame.hex.length / 2, 0)).toBeLessThanOrEqual(2048);
  const last = move().at(-1);
  expect(last && "frames" in last ? last.frames.length : 0).toBeGreaterThan(0);
});
