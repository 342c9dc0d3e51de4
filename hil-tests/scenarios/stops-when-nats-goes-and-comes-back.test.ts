import { join } from "node:path";
import type { AcceptedView, AlarmView, CloudEvent, LinkView, Page, ProblemDocument } from "@servofleet/contracts";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { allEnded, readyAxis } from "../box/ready-axis.ts";
import { type RunningBox, startBox } from "../box/running-box.ts";
import { askSocket } from "../box/service-socket.ts";
import { until } from "../box/until.ts";
import { type NatsServer, startNats } from "../foreign/nats-server.ts";
import type { MotionWrite } from "../sim/drive-record.ts";
import { needs } from "../test-host.ts";

const LIMIT_MS = 120_000;
const AXES = ["x1", "z1"] as const;
type AxisName = (typeof AXES)[number];

/** Far and slow enough to be under way for many seconds, from where the first move ends. */
const LONG_MOVE = { x1: { position: 700, velocity: 25 }, z1: { position: 300, velocity: 20 } } as const;
const COUNTS_PER_UNIT = { x1: 100, z1: 1000 } as const;
const MOVING_COUNTS_PER_S = 500;
/** Stands, enabled and homed, while the others move: nothing is latched when the bus goes. */
const IDLE = "y1";
/** The stop that a lost bridge leaves owed is the first thing in the way of the two that moved. */
const WHY_REFUSED = { x1: "stop-latched", z1: "stop-latched" } as const;
/** Asked for while the bus was away: no drive may ever hear of it. */
const REFUSED_POSITION = 123;

/** What the controller says of itself on its own socket: the gateway's /readyz speaks for the read side. */
async function readiness(socketPath: string): Promise<{ status: number; reason: string | null }> {
  const { status, body } = await askSocket<{ reason: string | null }>(socketPath, "GET", "/readyz");
  return { status, reason: body.reason };
}

const starts = (record: readonly MotionWrite[]) =>
  record.filter(({ kind }) => kind.startsWith("start") || kind === "velocity" || kind === "home");

describe.runIf(needs("nats-server"))("a box whose controller and bridge talk over a real nats-server", () => {
  let nats: NatsServer;
  let box: RunningBox;
  const pids = () => ({ controller: box.pid("controller"), bridge: box.pid("bridge") });
  const controllerReady = () => readiness(join(box.data, "run", "controller.sock"));
  let pidsBefore: ReturnType<typeof pids>;
  const underWay = new Map<AxisName, AcceptedView>();
  const newest = new Map<string, number>();
  const since = async (axis: string) => (await box.drive(axis, newest.get(axis) ?? 0)).record;

  beforeAll(async () => {
    nats = await startNats();
    box = await startBox({ messaging: nats.url });
  }, LIMIT_MS);
  afterAll(async () => {
    // The server first: axes are stopped over it when the box shuts down.
    await nats?.start();
    await box?.stop();
    await nats?.kill();
  }, LIMIT_MS);

  test(
    "moves axes behind a serial line and behind TCP, with its bridge as a process of its own",
    async () => {
      for (const axis of AXES) {
        await readyAxis(box, axis);
        const moved = await box.run(axis, { type: "MoveAbsolute", position: 10, velocity: 100 });
        expect(moved, JSON.stringify(moved)).toMatchObject({ state: "succeeded", target: 10 });
        const { position } = await box.drive(axis);
        expect(Math.abs(position - 10 * COUNTS_PER_UNIT[axis])).toBeLessThan(COUNTS_PER_UNIT[axis]);
      }
      await readyAxis(box, IDLE);
      pidsBefore = pids();
      expect(pidsBefore.controller).toBeDefined();
      expect(pidsBefore.bridge).toBeDefined();
    },
    LIMIT_MS,
  );

  test(
    "stops its axes by their policy when the server is killed in mid-move",
    async () => {
      for (const axis of AXES) underWay.set(axis, await box.send(axis, { type: "MoveAbsolute", ...LONG_MOVE[axis] }));
      for (const axis of AXES)
        await until(
          `${axis} moves`,
          () => box.drive(axis),
          ({ plant }) => Math.abs(plant.velocity) > MOVING_COUNTS_PER_S,
        );
      for (const axis of [...AXES, IDLE]) newest.set(axis, (await box.drive(axis)).record.at(-1)?.seq ?? 0);
      await nats.kill();
      for (const axis of AXES) {
        const drive = await until(
          `${axis} stands`,
          () => box.drive(axis),
          ({ moving }) => !moving,
        );
        expect(drive.position, `${axis} ran on to its target`).toBeLessThan(
          0.9 * LONG_MOVE[axis].position * COUNTS_PER_UNIT[axis],
        );
        const told = await since(axis);
        expect(
          told.map(({ kind, obeyed }) => `${kind} ${obeyed}`),
          axis,
        ).toContain("stop true");
        expect(starts(told), axis).toEqual([]);
      }
    },
    LIMIT_MS,
  );

  test(
    "says that the bridge is lost and shows no old reading as a good one",
    async () => {
      const { body } = await until(
        "the loss is recorded",
        () => box.call<Page<CloudEvent>>("GET", "/v1/events?type=BridgeLost"),
        ({ body: { items } }) => items.length > 0,
      );
      expect(body.items.at(-1)?.data).toMatchObject({ reason: expect.stringMatching(/no beat/) });
      for (const axis of AXES)
        await until(
          `${axis} is offline`,
          () => box.axis(axis),
          ({ state, measured }) => state === "offline" && measured.quality !== "good",
        );
      const links = await until(
        "no link is called up",
        () => box.call<Page<LinkView>>("GET", "/v1/links"),
        ({ body: { items } }) => items.length > 0 && items.every(({ state }) => state === "down"),
      );
      const alarms = await box.read<Page<AlarmView>>("/v1/alarms?state=active");
      for (const { id } of links.body.items)
        expect(alarms.items).toContainEqual(expect.objectContaining({ kind: "link-down", source: id }));
      expect(await controllerReady()).toEqual({ status: 503, reason: "no firmware bridge" });
    },
    LIMIT_MS,
  );

  test(
    "refuses motion with a problem that says why, and holds a stop as pending",
    async () => {
      for (const [axis, slug] of Object.entries({ ...WHY_REFUSED, [IDLE]: "axis-offline" })) {
        const wish = { type: "MoveAbsolute", position: REFUSED_POSITION };
        const refused = await box.call<ProblemDocument>("POST", `/v1/axes/${axis}/commands`, wish);
        expect(refused.status, JSON.stringify(refused.body)).toBe(409);
        expect(refused.body).toMatchObject({ type: `/problems/${slug}`, remedy: expect.stringMatching(/./) });
      }
      const stopped = await box.call<{ items: { axis: string; result: string }[] }>("POST", `/v1/axes/${IDLE}/stop`);
      expect(stopped.status, JSON.stringify(stopped.body)).toBe(202);
      expect(stopped.body.items).toMatchObject([{ axis: IDLE, result: "pending" }]);
    },
    LIMIT_MS,
  );

  test(
    "comes back with the server without a restart, and nothing moves by itself",
    async () => {
      await nats.start();
      for (const axis of AXES)
        await until(
          `${axis} is back`,
          () => box.axis(axis),
          ({ state, measured }) => state !== "offline" && measured.quality === "good",
        );
      await until("the controller is ready", controllerReady, ({ status }) => status === 200);
      await until(
        "all links are up",
        () => box.call<Page<LinkView>>("GET", "/v1/links"),
        ({ body: { items } }) => items.every(({ state }) => state === "up"),
      );
      expect(pids()).toEqual(pidsBefore);
      const stories = await allEnded(
        box,
        [...underWay.values()].map(({ commandId }) => commandId),
      );
      for (const story of stories) expect(["stopped", "indeterminate"], JSON.stringify(story)).toContain(story.state);
      for (const axis of AXES) {
        expect(starts(await since(axis)), axis).toEqual([]);
        expect((await box.drive(axis)).moving).toBe(false);
      }
    },
    LIMIT_MS,
  );

  test(
    "has delivered the stop that waited, and keeps it latched",
    async () => {
      await until(
        "the drive has the stop",
        () => since(IDLE),
        (record) => record.some(({ kind }) => kind === "stop"),
      );
      // "sent" may be heard first: the drive's own answer is what ends the wait.
      await until(
        "the drive has acknowledged the stop",
        () => box.call<Page<CloudEvent>>("GET", `/v1/events?axis=${IDLE}&type=StopConfirmed`),
        ({ body: { items } }) => (items.at(-1)?.data as { result?: string } | undefined)?.result === "acknowledged",
      );
      expect((await box.axis(IDLE)).stopLatched).toBe(true);
      expect(starts(await since(IDLE))).toEqual([]);
    },
    LIMIT_MS,
  );

  test(
    "moves again when a person asks for it",
    async () => {
      for (const axis of AXES) {
        await readyAxis(box, axis);
        const moved = await box.run(axis, { type: "MoveAbsolute", position: 20, velocity: 100 });
        expect(moved, JSON.stringify(moved)).toMatchObject({ state: "succeeded", target: 20 });
        const targets = starts(await since(axis)).map(({ target }) => target);
        expect(targets).not.toContain(LONG_MOVE[axis].position * COUNTS_PER_UNIT[axis]);
        expect(targets).not.toContain(REFUSED_POSITION * COUNTS_PER_UNIT[axis]);
      }
      const { code, stdout, stderr } = await box.cli("log", "verify");
      expect(code, stdout + stderr).toBe(0);
    },
    LIMIT_MS,
  );
});
