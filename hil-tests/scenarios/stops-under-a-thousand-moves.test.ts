import {
  type AcceptedView,
  type AxisView,
  type CloudEvent,
  type Page,
  parseRfc3339,
  type StopView,
  TERMINAL_STATES,
} from "@servofleet/contracts";
import { systemClock } from "@servofleet/runtime/system-clock";
import { afterAll, beforeAll, expect, test } from "vitest";
import { resetAxis } from "../box/patient-asking.ts";
import { allEnded, readyAxis } from "../box/ready-axis.ts";
import { type Answer, type RunningBox, startBox } from "../box/running-box.ts";
import { until } from "../box/until.ts";

const AXES = ["x1", "x2", "x3", "y1", "y2", "y3", "z1", "z2"] as const;
const MOVES = 1000;
/** Requests on their way at once per axis: each move is taken while its predecessors are still open. */
const HANDS = 5;

let box: RunningBox;
beforeAll(async () => {
  box = await startBox();
  await Promise.all(AXES.map((axis) => readyAxis(box, axis)));
});
afterAll(() => box?.stop());

/** When the first byte of the latched stop was in the kernel, by the log: monotonic ns of this host, which the drives' records use too. */
async function stopSentNs(axis: string): Promise<bigint> {
  const clock = systemClock();
  const items = await until(
    `the stop of ${axis} is confirmed in the log`,
    async () => (await box.call<Page<CloudEvent>>("GET", `/v1/events?axis=${axis}&type=StopConfirmed`)).body.items,
    (events) => events.length > 0,
  );
  const { frames } = items.at(-1)!.data as { frames: { direction: string; at: string }[] };
  const sentUs = parseRfc3339(frames.find(({ direction }) => direction === "tx")?.at ?? "");
  expect(sentUs, JSON.stringify(items)).toBeDefined();
  for (;;) {
    const nowNs = clock.monotonicNs();
    const sinceUs = clock.wallUs() - (sentUs ?? 0);
    // Both clocks of one moment: what lies between the two looks would be taken for the drive's delay.
    if (clock.monotonicNs() - nowNs < CLOCKS_NS / 2n) return nowNs - BigInt(sinceUs) * 1000n;
  }
}
/** Wall clocks of two processes may differ by so much; a transaction on a line takes longer. */
const CLOCKS_NS = 1_500_000n;

test("a stop passes a thousand moves in flight, and no motion follows it on any axis", async () => {
  const clock = systemClock();
  const accepted: string[] = [];
  const refused: Answer[] = [];
  let asked = 0;
  const hand = async (axis: string, n: number) => {
    for (let move = 0; move < MOVES / AXES.length / HANDS; move++) {
      const position = 20 + ((n * 31 + move * 7) % 300);
      asked += 1;
      const answer = await box.call<AcceptedView>("POST", `/v1/axes/${axis}/commands`, {
        type: "MoveAbsolute",
        position,
        velocity: 40,
        ttlMs: 60_000,
      });
      if (answer.status === 202) accepted.push(answer.body.commandId);
      else refused.push(answer);
    }
  };
  const hands = AXES.flatMap((axis) => Array.from({ length: HANDS }, (_, n) => hand(axis, n)));
  await until(
    "half of the moves were taken",
    () => accepted.length,
    (taken) => taken >= MOVES / 2,
    60_000,
  );
  const askedBefore = asked;
  const stopAskedNs = clock.monotonicNs();
  const stop = await box.call<StopView>("POST", "/v1/stop");
  const stopAnsweredNs = clock.monotonicNs();
  await Promise.all(hands);

  expect(asked).toBe(MOVES);
  expect(askedBefore, "the stop came while moves were still being posted").toBeLessThan(MOVES);
  expect(accepted.length + refused.length).toBe(MOVES);
  for (const { status, body } of refused) expect([409, 429], JSON.stringify(body)).toContain(status);
  expect(stop.status, JSON.stringify(stop.body)).toBe(200);
  expect(stop.body.items.map(({ axis }) => axis).sort()).toEqual([...AXES].sort());
  // That the log has it too is asked below: the answer waits a second for it, and a slow disk may take longer.
  for (const item of stop.body.items) expect(item).toMatchObject({ result: "acknowledged" });

  const stories = await allEnded(box, accepted);
  for (const { transitions, commandId } of stories)
    expect(
      transitions.filter(({ state }) => TERMINAL_STATES.has(state)),
      commandId,
    ).toHaveLength(1);

  for (const axis of AXES) {
    const drive = await until(
      `${axis} stands`,
      () => box.drive(axis),
      ({ moving }) => !moving,
    );
    const { record } = drive;
    const sentNs = await stopSentNs(axis);
    expect(sentNs).toBeGreaterThan(stopAskedNs);
    const stopped = record.find(
      ({ kind, atNs }) => (kind === "stop" || kind === "halt") && BigInt(atNs) >= sentNs - CLOCKS_NS,
    );
    expect(stopped, `${axis} got a stop: ${JSON.stringify(record.slice(-5))}`).toBeDefined();
    expect(
      record.some(({ seq, kind }) => kind === "start-absolute" && seq < (stopped?.seq ?? 0)),
      axis,
    ).toBe(true);
    expect(BigInt(stopped?.atNs ?? 0), `${axis} got it before the answer`).toBeLessThan(stopAnsweredNs);
    const after = record.filter(({ seq, kind }) => seq > (stopped?.seq ?? 0) && /^start|velocity|home/.test(kind));
    expect(after, `${axis}: motion after the stop`).toEqual([]);
    const shown = await box.read<AxisView>(`/v1/axes/${axis}`);
    expect(shown, JSON.stringify(shown)).toMatchObject({ stopLatched: true, currentCommand: null });
  }
}, 180_000);

test("nothing that was under way comes back after Reset", async () => {
  const seqs = new Map<string, number>();
  for (const axis of AXES) seqs.set(axis, (await box.drive(axis)).record.at(-1)?.seq ?? 0);
  for (const axis of AXES) await resetAxis(box, axis);
  const x1 = await box.run("x1", { type: "MoveAbsolute", position: 5, velocity: 200 });
  expect(x1.state, JSON.stringify(x1)).toBe("succeeded");
  for (const axis of AXES) {
    const { record } = await box.drive(axis, seqs.get(axis));
    const starts = record.filter(({ kind }) => /^start|velocity|home/.test(kind));
    expect(starts, axis).toHaveLength(axis === "x1" ? 1 : 0);
  }
  const verified = await box.cli("log", "verify");
  expect(verified.code, verified.stderr).toBe(0);
  const { items } = await box.read<Page<CloudEvent>>("/v1/events?axis=x1&type=StopLatched");
  expect(items).toHaveLength(1);
});
