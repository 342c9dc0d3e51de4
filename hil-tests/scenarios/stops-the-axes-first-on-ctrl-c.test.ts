import type { StopView } from "@servofleet/contracts";
import { systemClock } from "@servofleet/runtime/system-clock";
import { afterEach, expect, test } from "vitest";
import { signalService } from "../box/patient-asking.ts";
import { readyAxis } from "../box/ready-axis.ts";
import { type RunningBox, startBox } from "../box/running-box.ts";
import { until } from "../box/until.ts";
import { processOf } from "./box-processes.ts";

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
  // One request after the other: when this process is held back, one is always on its way and is answered meanwhile.
  const watch = async (): Promise<void> => {
    while (
      await fetch(`${url}/livez`).then(
        ({ ok }) => ok,
        () => false,
      )
    )
      lastAnswerNs = clock.monotonicNs();
  };
  const watching = watch();
  const askedNs = clock.monotonicNs();
  const code = await box.interrupt();
  await watching;
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
  // A supervisor that stands still brings nobody back.
  const supervisor = processOf(running.directory, "up");
  if (supervisor === undefined) throw new Error("the supervisor is not to be found");
  process.kill(supervisor, "SIGSTOP");
  try {
    await signalService(running, "gateway", "SIGKILL");
    await until(
      "nobody answers at the gateway's port",
      () =>
        fetch(`${running.url}/livez`).then(
          () => "answers",
          () => "dead",
        ),
      (seen) => seen === "dead",
    );
    // A box waits one second for the drives and the log: who is told that one of them is missing stops again.
    const { code, stdout, stderr } = await until(
      "every axis has acknowledged the stop, and the log has it",
      () => running.cli("--json", "stop", "--all"),
      (told) => told.code === 0 && !told.stdout.includes('"recorded":false'),
    );
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
    process.kill(supervisor, "SIGCONT");
  }
  await until(
    "the gateway is back by itself and shows the latch",
    () => running.axis("x1"),
    ({ stopLatched, state }) => stopLatched && state !== "offline",
  );
});
