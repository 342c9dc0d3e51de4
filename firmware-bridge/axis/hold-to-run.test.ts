import { JOG_WINDOW_MS } from "@servofleet/contracts";
import { FakeClock } from "@servofleet/runtime/fake-clock";
import fc from "fast-check";
import { expect, test } from "vitest";
import { MemoryLink } from "./testing/memory-link.ts";
import { axisConfig, ended, TestAxis } from "./testing/test-axis.ts";
import { TestPathTable } from "./testing/test-path-table.ts";

const UNIT = 3;
const towardsTheLimit = {
  kind: "move-absolute",
  targetCounts: 100_000,
  velocity: 5000,
  acceleration: 500_000,
  deceleration: 500_000,
} as const;
const hold = { session: "s1", windowMs: JOG_WINDOW_MS };
const isStart = (request: { fn: string; address: number }) => request.fn === "write-many" && request.address === 0x6200;
const isHalt = (request: { fn: string; address: number; value?: number }) =>
  request.fn === "write" && request.address === 0x6002 && request.value === 0x040;

async function enabled() {
  const clock = new FakeClock();
  const drive = new TestPathTable(clock);
  const link = new MemoryLink("line_a", clock, new Map([[UNIT, drive]]));
  const axis = new TestAxis(clock, link, axisConfig("x1", UNIT, "leadshine-icl-rs"));
  await axis.until(() => axis.supervisor.status().reads >= 2);
  const reports = axis.order({ kind: "enable" });
  await axis.until(() => ended(reports()));
  link.seen.length = 0;
  return { clock, drive, link, axis };
}
const requests = (link: MemoryLink) => link.writes().map((seen) => seen.request as { fn: string; address: number });

test("an axis runs as long as beats come, and is halted without a latch when the window passes", async () => {
  const { clock, link, axis } = await enabled();
  const reports = axis.order(towardsTheLimit, { hold });
  for (let n = 0; n < 20; n++) {
    await clock.advance(100);
    axis.supervisor.jogBeat("s1", false);
  }
  expect(axis.supervisor.moving).toBe(true);
  expect(requests(link).filter(isHalt)).toEqual([]);
  await axis.until(() => ended(reports()));
  expect(reports().at(-1)).toMatchObject({
    type: "order-aborted",
    by: "policy",
    detail: "no jog beat came for 250 ms",
  });
  expect(requests(link).filter(isHalt)).toHaveLength(1);
  await axis.until(() => !axis.supervisor.moving);
  // Not latched: the next order runs.
  const next = axis.order({ ...towardsTheLimit, targetCounts: 50_000 });
  await axis.until(() => ended(next()));
  expect(next().at(-1)).toMatchObject({ type: "order-done", positionCounts: 50_000 });
});

test("letting go halts at once, and no late beat starts it again", async () => {
  const { clock, link, axis } = await enabled();
  const reports = axis.order(towardsTheLimit, { hold });
  await clock.advance(100);
  axis.supervisor.jogBeat("s1", true);
  axis.supervisor.jogBeat("s1", false);
  await axis.until(() => ended(reports()));
  expect(reports().at(-1)).toMatchObject({ type: "order-aborted", by: "halt", detail: "the jog button was let go" });
  await clock.advance(2000);
  expect(requests(link).filter(isStart)).toHaveLength(1);
  expect(axis.supervisor.moving).toBe(false);
});

test("a beat of another session holds nothing", async () => {
  const { clock, axis } = await enabled();
  const reports = axis.order(towardsTheLimit, { hold });
  for (let n = 0; n < 10 && !ended(reports()); n++) {
    await clock.advance(100);
    axis.supervisor.jogBeat("s2", false);
  }
  expect(reports().at(-1)).toMatchObject({ type: "order-aborted", by: "policy" });
});

test("a halt that the drive does not confirm becomes a stop", async () => {
  const { clock, link, axis } = await enabled();
  axis.order(towardsTheLimit, { hold });
  await clock.advance(50);
  let lost = 0;
  link.fate = ({ request }) => (isHalt(request as never) && lost++ === 0 ? "lost-request" : "answer");
  await axis.until(() => axis.reports.some((report) => report.type === "stop-result" && report.reason === "lapse"));
  await axis.until(() => !axis.supervisor.moving);
});

test("an order decided before control changed hands is refused before its first byte", async () => {
  const { link, axis } = await enabled();
  axis.supervisor.authority(1, 3);
  const reports = axis.order(towardsTheLimit, { leaseSequence: 2 });
  await axis.until(() => ended(reports()));
  expect(reports()).toMatchObject([{ type: "order-refused", reason: "stale-lease", problem: { slug: "axis-leased" } }]);
  expect(requests(link)).toEqual([]);
  const next = axis.order({ ...towardsTheLimit, targetCounts: 1000 }, { leaseSequence: 3 });
  await axis.until(() => ended(next()));
  expect(next().at(-1)?.type).toBe("order-done");
});

test("a newer controller counts control anew", async () => {
  const { axis } = await enabled();
  axis.supervisor.authority(1, 9);
  axis.gate.epoch = 2;
  const reports = axis.order({ ...towardsTheLimit, targetCounts: 1000 }, { epoch: 2, leaseSequence: 0 });
  await axis.until(() => ended(reports()));
  expect(reports().at(-1)?.type).toBe("order-done");
});

test("wherever the beats break off, the halt leaves within the window and one look", async () => {
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 0, max: 400 }), fc.integer({ min: 1, max: 100 }), async (heldMs, beatMs) => {
      const { clock, link, axis } = await enabled();
      const reports = axis.order(towardsTheLimit, { hold });
      let lastBeatMs = clock.monotonicMs();
      for (let ms = beatMs; ms <= heldMs; ms += beatMs) {
        await clock.advance(beatMs);
        axis.supervisor.jogBeat("s1", false);
        lastBeatMs = clock.monotonicMs();
      }
      await axis.until(() => requests(link).some(isHalt));
      // The window, one look at it, and what stands on the line before the halt.
      expect(clock.monotonicMs() - lastBeatMs).toBeLessThanOrEqual(JOG_WINDOW_MS + 50);
      await axis.until(() => ended(reports()));
      expect(requests(link).filter(isStart)).toHaveLength(1);
    }),
    { numRuns: 40 },
  );
});
