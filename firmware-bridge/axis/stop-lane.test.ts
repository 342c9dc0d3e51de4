import { FakeClock } from "@servofleet/runtime/fake-clock";
import { expect, test } from "vitest";
import { type Fate, MemoryLink } from "./testing/memory-link.ts";
import { axisConfig, ended, TestAxis } from "./testing/test-axis.ts";
import { TestPathTable } from "./testing/test-path-table.ts";

const UNIT = 3;
const rates = { velocity: 50_000, acceleration: 500_000, deceleration: 500_000 };

async function movingRig() {
  const clock = new FakeClock();
  const drive = new TestPathTable(clock);
  const link = new MemoryLink("line_a", clock, new Map([[UNIT, drive]]));
  const axis = new TestAxis(clock, link, axisConfig("x1", UNIT, "leadshine-icl-rs"));
  await axis.until(() => axis.supervisor.status().reads >= 2);
  const enable = axis.order({ kind: "enable" });
  await axis.until(() => ended(enable()));
  const move = axis.order({ kind: "move-absolute", targetCounts: 90_000, ...rates });
  await axis.until(() => drive.motor.running);
  link.seen.length = 0;
  return { clock, drive, link, axis, move };
}
const isStop = (seen: { request: object }) =>
  JSON.stringify(seen.request) === '{"fn":"write","address":24578,"value":64}';
const resultsOf = (axis: TestAxis, stopId: string) =>
  axis.reports.flatMap((report) => (report.type === "stop-result" && report.stopId === stopId ? [report.result] : []));

test("a stop is one frame of class stop and ends the running order when the drive has confirmed it", async () => {
  const { axis, link, move } = await movingRig();
  axis.stop();
  await axis.until(() => ended(move()));
  expect(link.writes()).toMatchObject([{ class: "stop", request: { address: 0x6002, value: 0x040 } }]);
  expect(resultsOf(axis, "s1")).toEqual(["sent", "acknowledged"]);
  expect(move().at(-1)).toMatchObject({ type: "order-aborted", by: "stop" });
});

test("a stop transmits at standstill as well, and each repeated stop is answered", async () => {
  const { axis, link, clock } = await movingRig();
  axis.stop();
  await clock.advance(500);
  axis.stop();
  axis.stop();
  await clock.advance(500);
  expect(link.writes().filter(isStop).length).toBeGreaterThanOrEqual(2);
  for (const id of ["s1", "s2", "s3"]) expect(resultsOf(axis, id).at(-1)).toBe("acknowledged");
});

test("an order decided before the stop is refused, whenever it arrives", async () => {
  const { axis, link, clock } = await movingRig();
  axis.stop();
  await clock.advance(100);
  link.seen.length = 0;
  const late = axis.order({ kind: "move-absolute", targetCounts: 500, ...rates }, { stopGeneration: 0 });
  await axis.until(() => ended(late()));
  expect(late()).toMatchObject([{ type: "order-refused", reason: "stale-generation" }]);
  expect(link.writes()).toEqual([]);
});

test("a stop between two frames of a handshake keeps the rest of it back", async () => {
  const { axis, link, drive, clock } = await movingRig();
  // Stop first, then move: while the axis runs down, the person stops it.
  let stopped = false;
  link.fate = ({ request }) => {
    if (request.fn !== "read" && !stopped) clock.after(0.1, () => axis.stop());
    stopped ||= request.fn !== "read";
    return "answer";
  };
  const next = axis.order({ kind: "move-absolute", targetCounts: 100, ...rates });
  await clock.advance(1000);
  expect(ended(next())).toBe(true);
  expect(link.writes().some((seen) => seen.request.address === 0x6200)).toBe(false);
  expect(drive.motor.running).toBe(false);
});

test("a stop without answer stays pending and is the first frame once the unit is back", async () => {
  const { axis, link, clock, drive } = await movingRig();
  let fate: Fate = "lost-request";
  link.fate = () => fate;
  axis.stop();
  await clock.advance(2000);
  expect(resultsOf(axis, "s1")).toEqual(["sent", "pending"]);
  expect(axis.supervisor.status()).toMatchObject({ stopPending: true, online: false });
  expect(drive.motor.running || drive.motor.position === 90_000).toBe(true);
  const tries = link.writes().length;
  expect(tries).toBeLessThanOrEqual(3);
  link.seen.length = 0;
  fate = "answer";
  await axis.until(() => resultsOf(axis, "s1").at(-1) === "acknowledged");
  expect(link.writes()).toMatchObject([{ class: "stop", request: { address: 0x6002, value: 0x040 } }]);
  await axis.until(() => axis.supervisor.status().online);
  expect(axis.supervisor.status().stopPending).toBe(false);
});

test("a damaged stop frame that Leadshine answers with exception 08 is sent again", async () => {
  const { axis, link, clock } = await movingRig();
  const fates: Fate[] = ["damaged"];
  link.fate = ({ request }) => (request.fn === "read" ? "answer" : (fates.shift() ?? "answer"));
  axis.stop();
  await clock.advance(200);
  expect(link.writes().filter(isStop)).toHaveLength(2);
  expect(resultsOf(axis, "s1").at(-1)).toBe("acknowledged");
});

test("a stop that the drive refuses is told as failed, with the drive's answer", async () => {
  const { axis, drive, clock } = await movingRig();
  drive.refuses = 4;
  axis.stop();
  await clock.advance(200);
  expect(axis.reports).toContainEqual(
    expect.objectContaining({
      type: "stop-result",
      result: "failed",
      problem: expect.objectContaining({ slug: "drive-exception" }),
    }),
  );
});
