import type { StopView } from "@servofleet/contracts";
import { systemClock } from "@servofleet/runtime/system-clock";
import { afterEach, expect, test } from "vitest";
import { readyAxis } from "../box/ready-axis.ts";
import { type RunningBox, startBox } from "../box/running-box.ts";
import { until } from "../box/until.ts";

const SLOW = { x1: { position: 700, velocity: 20 }, z1: { position: 350, velocity: 20 } } as const;
const AXES = ["x1", "z1"] as const;

let box: RunningBox | undefined;
afterEach(async () => {
  await box?.stop();
  box = undefined;
});

async function startMoving(running: RunningBox): Promise<void> {
  await Promise.all(AXES.map((axis) => readyAxis(running, axis)));
  for (const axis of AXES) await running.send(axis, { type: "MoveAbsolute", ...SLOW[axis] });
  for (const axis of AXES)
    await until(
      `${axis} moves`,
      () => running.drive(axis),
      ({ plant }) => Math.abs(plant.velocity) > 500,
    );
}

test("Ctrl-C stops moving axes while the gateway still answers, and then ends with 0", async () => {
  box = await startBox();
  await startMoving(box);
  const clock = systemClock();
  let lastAnswerNs = 0n;
  const { url } = box;
  const watching = clock.every(5, () => {
    void fetch(`${url}/livez`).then(
      () => (lastAnswerNs = clock.monotonicNs()),
      () => undefined,
    );
  });
  const askedNs = clock.monotonicNs();
  const code = await box.interrupt();
  watching.cancel();
  expect(code, box.log()).toBe(0);
  for (const axis of AXES) {
    const drive = await box.drive(axis);
    const stop = drive.record.find(({ kind, atNs }) => (kind === "stop" || kind === "halt") && BigInt(atNs) > askedNs);
    expect(stop, JSON.stringify(drive.record)).toBeDefined();
    expect(BigInt(stop?.atNs ?? 0)).toBeLessThan(lastAnswerNs);
    const motion = drive.record.filter(({ seq, kind }) => seq > (stop?.seq ?? 0) && /^start|velocity|home/.test(kind));
    expect(motion).toEqual([]);
    expect(drive.moving, `${axis} stands when everything has ended`).toBe(false);
  }
});

test("with the gateway killed the command line still stops every axis", async () => {
  box = await startBox();
  const running = box;
  await startMoving(running);
  const keepDead = systemClock().every(5, () => {
    const pid = running.pid("gateway");
    if (pid !== undefined) process.kill(pid, "SIGKILL");
  });
  try {
    await until(
      "nobody answers at the gateway's port",
      () =>
        fetch(`${running.url}/livez`).then(
          () => "answers",
          () => "dead",
        ),
      (seen) => seen === "dead",
    );
    const { code, stdout, stderr } = await running.cli("--json", "stop", "--all");
    expect(code, stderr).toBe(0);
    expect(stderr).toContain("controller");
    const { items } = JSON.parse(stdout) as StopView;
    expect(items.map(({ axis }) => axis).sort()).toEqual(["x1", "x2", "x3", "y1", "y2", "y3", "z1", "z2"]);
    for (const item of items) expect(item).toMatchObject({ result: "acknowledged", recorded: true, problem: null });
    for (const axis of AXES)
      await until(
        `${axis} stands`,
        () => running.drive(axis),
        ({ moving }) => !moving,
      );
  } finally {
    keepDead.cancel();
  }
  await until(
    "the gateway is back by itself and shows the latch",
    () => running.axis("x1"),
    ({ stopLatched, state }) => stopLatched && state !== "offline",
  );
});
