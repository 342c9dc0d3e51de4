import { afterEach, expect, test } from "vitest";
import { readyAxis } from "../box/ready-axis.ts";
import { type BoxOptions, type RunningBox, startBox } from "../box/running-box.ts";
import { until } from "../box/until.ts";
import { processOf } from "./box-processes.ts";

/** In the order in which they arrive. */
const AXES = ["z1", "x1"] as const;
/** Long and slow, so that there is time to look while it moves; counts as the drives count them. */
const MOVES = {
  x1: { position: 270, velocity: 15, targetCounts: 27_000 },
  z1: { position: 200, velocity: 12, targetCounts: 200_000 },
} as const;

type Policies = {
  onControllerLost: "stop" | "finish";
  onShutdown: "stop" | "leave";
  onRestartMoving: "stop" | "observe";
};

let box: RunningBox | undefined;
afterEach(async () => {
  await box?.stop();
  box = undefined;
});

/**
 * A box whose axes move, with what the drives have recorded until then. The log knows that the drives have confirmed their
 * moves: a successor that finds a motion which no drive had confirmed has to stop it, whatever the policy.
 */
async function movingBox(policies: Policies): Promise<{ box: RunningBox; seen: Record<string, number> }> {
  const fleet: BoxOptions["fleet"] = (same) => ({ ...same, axes: same.axes.map((axis) => ({ ...axis, ...policies })) });
  const running = await startBox({ fleet: fleet as NonNullable<BoxOptions["fleet"]> });
  box = running;
  await Promise.all(AXES.map((axis) => readyAxis(running, axis)));
  const sent: string[] = [];
  for (const axis of AXES) {
    const { position, velocity } = MOVES[axis];
    sent.push((await running.send(axis, { type: "MoveAbsolute", position, velocity })).commandId);
  }
  const seen: Record<string, number> = {};
  for (const axis of AXES) {
    const drive = await until(
      `${axis} moves`,
      () => running.drive(axis),
      ({ plant }) => Math.abs(plant.velocity) > 500,
    );
    seen[axis] = drive.record.at(-1)?.seq ?? 0;
  }
  for (const id of sent)
    await until(
      `the log has ${id} moving`,
      () => running.command(id),
      ({ state }) => state === "moving",
    );
  return { box: running, seen };
}

const stands = (running: RunningBox, axis: string) =>
  until(
    `${axis} stands`,
    () => running.drive(axis),
    ({ moving }) => !moving,
    60_000,
  );

const kill = (pid: number | undefined, signal: NodeJS.Signals): void => {
  expect(pid).toBeDefined();
  process.kill(pid ?? 0, signal);
};

test("a killed controller's bridge stops the axes whose policy is stop, whatever a shutdown or a restart would do", async () => {
  const { box: running, seen } = await movingBox({
    onControllerLost: "stop",
    onShutdown: "leave",
    onRestartMoving: "observe",
  });
  kill(running.pid("controller"), "SIGKILL");
  for (const axis of AXES) {
    const { position } = await stands(running, axis);
    expect(position, `${axis} did not reach its target`).not.toBe(MOVES[axis].targetCounts);
    const since = (await running.drive(axis, seen[axis])).record;
    expect(since.map(({ kind }) => kind)).toContain("stop");
    expect(since.filter(({ kind }) => /^start|velocity|home/.test(kind))).toEqual([]);
  }
  for (const axis of AXES)
    await until(
      `${axis} is served again`,
      () => running.axis(axis),
      ({ state }) => state !== "offline",
    );
});

test("axes whose policy is finish move on, and the next bridge has the lines while they still do", async () => {
  const { box: running, seen } = await movingBox({
    onControllerLost: "finish",
    onShutdown: "stop",
    onRestartMoving: "observe",
  });
  const before = running.pid("bridge");
  kill(running.pid("controller"), "SIGKILL");
  await until(
    "another bridge runs and the one before it is gone",
    () => running.pid("bridge"),
    (pid) => pid !== undefined && pid !== before,
  );
  for (const axis of AXES) {
    const { measured } = await until(
      `${axis} is read again`,
      () => running.axis(axis),
      ({ state, quality }) => state !== "offline" && quality === "good",
    );
    expect(measured.position, `${axis} is read while it moves`).toBeLessThan(MOVES[axis].position);
  }
  for (const axis of AXES) {
    const { position } = await stands(running, axis);
    expect(Math.abs(position - MOVES[axis].targetCounts), `${axis} at ${position}`).toBeLessThan(20);
    expect((await running.drive(axis, seen[axis])).record).toEqual([]);
  }
});

test("without a successor a bridge stays until its axes have finished, and then leaves", async () => {
  const { box: running, seen } = await movingBox({
    onControllerLost: "finish",
    onShutdown: "stop",
    onRestartMoving: "stop",
  });
  const bridge = running.pid("bridge");
  const supervisor = processOf(running.directory, "up");
  kill(supervisor, "SIGSTOP");
  try {
    kill(running.pid("controller"), "SIGKILL");
    for (const axis of AXES) {
      // The bridge before the drive: what still moves after the look was watched during it, however long that took.
      const { watching, drive } = await until(
        `${axis} stands, or moves while nobody watches it any more`,
        async () => ({ watching: running.pid("bridge"), drive: await running.drive(axis) }),
        (look) => !look.drive.moving || look.watching !== bridge,
        60_000,
      );
      expect({ watched: watching === bridge, moving: drive.moving }).not.toEqual({ watched: false, moving: true });
      expect((await running.drive(axis, seen[axis])).record).toEqual([]);
    }
    await until(
      "the bridge has left",
      () => running.pid("bridge"),
      (pid) => pid === undefined,
    );
  } finally {
    kill(supervisor, "SIGCONT");
  }
});
