import type { AxisId, Order } from "@servofleet/contracts";
import { describe, expect, it, onTestFinished } from "vitest";
import { LogError } from "../event-log/event-log.ts";
import { openEventLog } from "../event-log/open-event-log.ts";
import { ControllerRig, type Reply, type RigOptions } from "../testing/controller-rig.ts";

async function ready(options: RigOptions = {}): Promise<ControllerRig> {
  const started = await ControllerRig.start(options);
  onTestFinished(() => started.kill());
  return started.ready();
}
const move = (axis: string, position: number, more: object = {}) => ({
  kind: "command",
  axis,
  command: { type: "MoveAbsolute", position },
  ...more,
});
const PICK = {
  name: "pick",
  group: "gantry",
  steps: [
    move("x1", 10, { id: "there", compensation: { kind: "return-to", position: 0 } }),
    {
      kind: "parallel",
      branches: [
        [move("x1", 20), { kind: "barrier", name: "b" }],
        [{ kind: "barrier", name: "b" }, move("x2", 30)],
      ],
    },
    { kind: "dwell", ms: 1 },
    { kind: "wait", until: { axis: "x2", positionAtLeast: 29 } },
    move("x2", 0, { id: "home" }),
  ],
};
const define = (box: ControllerRig, program: object = PICK) => box.ask("POST", "/v1/programs", { body: program });
const run = (box: ControllerRig, name = "pick", headers: Record<string, string> = {}) =>
  box.ask("POST", `/v1/programs/${name}/runs`, { headers });
const word = (box: ControllerRig, started: Reply, what: string) =>
  box.ask("POST", `/v1/runs/${started.body["runId"]}/${what}`);
const slug = ({ status, body }: Reply) => ({ status, type: body.type });
const story = (box: ControllerRig, { body }: Reply) => box.events(`run-${body["runId"]}`);
const typesOf = async (box: ControllerRig, started: Reply) => (await story(box, started)).map(({ type }) => type);
async function ended(box: ControllerRig, started: Reply): Promise<unknown> {
  await box.until(async () => (await typesOf(box, started)).includes("RunEnded"));
  return (await story(box, started)).at(-1)?.data;
}
const moves = (box: ControllerRig): readonly Order[] =>
  box.bridge?.orders.filter(({ action }) => action.kind.startsWith("move")) ?? [];
/** Drives that take orders of motion and go on moving. */
function slow(box: ControllerRig): ControllerRig {
  const bridge = box.bridge;
  if (bridge)
    bridge.onOrder = (order) => {
      if (order.action.kind.startsWith("move")) return bridge.move(order);
      if (order.action.kind === "halt") {
        const running = bridge.orders.findLast(
          ({ axis, action }) => axis === order.axis && action.kind.startsWith("move"),
        );
        if (running)
          bridge.report({
            type: "order-aborted",
            commandId: running.commandId,
            axis: order.axis,
            by: "halt",
            atUs: 1,
            positionCounts: 500,
            frames: [],
          } as never);
      }
      bridge.finish(order);
    };
  return box;
}

describe("a program", () => {
  it("is defined once per document, counted, and listed", async () => {
    const box = await ready();
    const first = await define(box);
    expect(first).toMatchObject({ status: 201, body: { name: "pick", version: 1, armed: false, axes: ["x1", "x2"] } });
    expect((await define(box)).status).toBe(200);
    expect((await define(box, { ...PICK, description: "again" })).body["version"]).toBe(2);
    expect((await box.ask("GET", "/v1/programs")).body["items"]).toMatchObject([{ name: "pick", version: 2 }]);
    expect(slug(await box.ask("GET", "/v1/programs/pack"))).toMatchObject({ status: 404 });
    expect((await run(box, "pack")).body.remedy).toContain("pick");
  });

  it.each<[string, object, string]>([
    ["a Reset", { steps: [{ kind: "command", axis: "x1", command: { type: "Reset" } }] }, "/steps/0/command/type"],
    ["an unknown axis", { steps: [move("x9", 1)], group: undefined }, "/steps/0/axis"],
    ["an axis outside its group", { steps: [move("z1", 1)] }, "/steps/0/axis"],
    [
      "one axis in two branches",
      { steps: [{ kind: "parallel", branches: [[move("x1", 1)], [move("x1", 2)]] }] },
      "/steps/0/branches/1/0/axis",
    ],
    ["a barrier nobody else meets", { steps: [{ kind: "barrier", name: "b" }] }, "/steps/0"],
    ["a wait for nothing", { steps: [{ kind: "wait", until: { axis: "x1" } }] }, "/steps/0/until"],
    [
      "a velocity move without end",
      { steps: [{ kind: "command", axis: "x1", command: { type: "MoveVelocity", velocity: 5 } }] },
      "/steps/0",
    ],
    ["two steps of one name", { steps: [move("x1", 1, { id: "a" }), move("x1", 2, { id: "a" })] }, "/steps/1/id"],
    ["a foreign field", { steps: [move("x1", 1, { depth: 1 })] }, "/steps/0/depth"],
    [
      "branches that would wait for each other",
      {
        steps: [
          {
            kind: "parallel",
            branches: [
              [
                { kind: "barrier", name: "a" },
                { kind: "barrier", name: "b" },
              ],
              [
                { kind: "barrier", name: "b" },
                { kind: "barrier", name: "a" },
              ],
            ],
          },
        ],
      },
      "/steps/0",
    ],
  ])("with %s is refused, and told where", async (_what, change, pointer) => {
    const refused = await define(await ready(), { ...PICK, ...change });
    expect(slug(refused)).toEqual({ status: 400, type: "/problems/validation-error" });
    expect(refused.body.errors?.map((error) => error.pointer)).toContain(pointer);
  });

  it("is gone through without touching a bus, each step as the one before would leave the axis", async () => {
    const box = await ready();
    await define(box, { ...PICK, steps: [...PICK.steps, move("x1", 900), move("x1", 700, { deadlineMs: 5 })] });
    const orders = box.bridge?.heard.length;
    const { status, body } = await box.ask("POST", "/v1/programs/pick/dry-run");
    expect(status).toBe(200);
    expect(body).toMatchObject({ ok: false, axes: [], links: [{ link: "line_a", axesAtOnce: 2 }] });
    const problems = (body["steps"] as { problem: { type: string } | null }[]).map(
      ({ problem }) => problem?.type ?? null,
    );
    expect(problems.slice(-3)).toEqual([null, "/problems/soft-limit", "/problems/deadline-passed"]);
    expect(box.bridge?.heard.length).toBe(orders);
    await box.ask("POST", "/v1/axes/x2/stop");
    const stopped = await box.ask("POST", "/v1/programs/pick/dry-run");
    expect(stopped.body["axes"]).toMatchObject([{ axis: "x2", problem: { type: "/problems/stop-latched" } }]);
  });
});

describe("a run", () => {
  it("goes its way over both axes, each command in the same batch as its step, and gives its axes back", async () => {
    const box = await ready();
    await define(box);
    const started = await run(box);
    expect(started).toMatchObject({ status: 202, body: { program: "pick", state: "running" } });
    expect(await ended(box, started)).toMatchObject({ outcome: "completed" });
    expect(moves(box).map(({ axis, action }) => [axis, "targetCounts" in action && action.targetCounts])).toEqual([
      ["x1", 1000],
      ["x1", 2000],
      ["x2", 3000],
      ["x2", 0],
    ]);
    const all = await box.events();
    for (const event of all.filter(({ type }) => type === "MoveAccepted")) {
      const step = all.find(
        ({ type, data }) => type === "RunStepStarted" && JSON.stringify(data).includes(`${event.commandId}`),
      );
      expect(step?.position).toBeLessThan(event.position);
      expect(event.causationId).toBe(started.body["runId"]);
    }
    await box.until(async () => ((await box.ask("GET", "/v1/leases")).body["items"] as unknown[]).length === 0);
  });

  it("is started once under one key, whatever is asked again", async () => {
    const box = await ready();
    await define(box);
    const headers = { "idempotency-key": "k1" };
    const answers = await Promise.all([
      run(box, "pick", headers),
      run(box, "pick", headers),
      run(box, "pick", headers),
    ]);
    expect(new Set(answers.map(({ body }) => body["runId"])).size).toBe(1);
    await ended(box, answers[0] as Reply);
    const again = await run(box, "pick", headers);
    expect(again.headers["idempotency-replayed"]).toBe("true");
    expect((await box.events()).filter(({ type }) => type === "RunStarted")).toHaveLength(1);
    const other = await box.ask("POST", "/v1/axes/x1/commands", { body: { type: "Halt" }, headers });
    expect(slug(other)).toEqual({ status: 422, type: "/problems/idempotency-key-reused" });
  });

  it("keeps its axes from others, and does not begin on axes that others have", async () => {
    const box = slow(await ready());
    await define(box);
    await run(box);
    const body = { type: "MoveAbsolute", position: 5 };
    expect(slug(await box.ask("POST", "/v1/axes/x2/commands", { body }))).toMatchObject({ status: 423 });
    const second = await run(box);
    expect([409, 423]).toContain(second.status);
  });

  it("does not begin while a stop is latched on any of its axes", async () => {
    const box = await ready();
    await define(box);
    await box.ask("POST", "/v1/axes/x2/stop");
    expect(slug(await run(box))).toEqual({ status: 409, type: "/problems/stop-latched" });
    expect(moves(box)).toEqual([]);
  });

  it("ends held when a stop touches one axis, and nothing of it moves afterwards", async () => {
    const box = slow(await ready());
    await define(box);
    const started = await run(box);
    await box.until(() => moves(box).length === 1);
    await box.ask("POST", "/v1/axes/x2/stop");
    expect(await ended(box, started)).toMatchObject({ outcome: "held" });
    expect(await typesOf(box, started)).toContain("RunHalting");
    expect(moves(box)).toHaveLength(1);
    expect(slug(await word(box, started, "resume"))).toEqual({ status: 409, type: "/problems/run-not-ready" });
  });

  it("halts on abort, offers the way back, and goes it when a person says so", async () => {
    const box = slow(await ready());
    await define(box);
    const started = await run(box);
    await box.until(() => moves(box).length === 1);
    expect((await word(box, started, "abort")).body["state"]).toBe("halting");
    await box.until(async () => (await typesOf(box, started)).includes("RunCompensationOffered"));
    expect(moves(box)).toHaveLength(1);
    if (box.bridge) box.bridge.onOrder = (order) => box.bridge?.finish(order);
    expect((await word(box, started, "resume")).status).toBe(200);
    expect(await ended(box, started)).toMatchObject({ outcome: "aborted" });
    expect(moves(box).at(-1)?.action).toMatchObject({ targetCounts: 0 });
  });

  it("brings its group to rest when a drive of it has a fault", async () => {
    const box = slow(await ready());
    const spin = {
      kind: "command",
      axis: "x2",
      command: { type: "MoveVelocity", velocity: 5 },
      compensation: { kind: "none" },
    };
    const halt = { kind: "command", axis: "x2", command: { type: "Halt" }, compensation: { kind: "none" } };
    await define(box, {
      name: "spin",
      group: "gantry",
      steps: [spin, { kind: "wait", until: { axis: "x1", state: "homing" } }, halt],
    });
    const started = await run(box, "spin");
    await box.until(async () => (await typesOf(box, started)).filter((type) => type === "RunStepStarted").length === 2);
    box.bridge?.reading("x1" as AxisId, { fault: { code: "E1", name: "overload", remedy: "look" } });
    expect(await ended(box, started)).toMatchObject({ outcome: "failed", problem: { slug: "drive-fault" } });
    expect(box.bridge?.orders.at(-1)).toMatchObject({ axis: "x2", action: { kind: "halt" } });
  });

  it("pauses between steps and goes on for a person", async () => {
    const box = await ready();
    await define(box, {
      ...PICK,
      steps: [
        { kind: "dwell", ms: 60_000, id: "long" },
        { kind: "dwell", ms: 1 },
      ],
      name: "rest",
    });
    const started = await run(box, "rest");
    expect((await word(box, started, "pause")).body["state"]).toBe("paused");
    expect(slug(await word(box, started, "pause"))).toEqual({ status: 409, type: "/problems/run-not-ready" });
    expect((await word(box, started, "resume")).body["state"]).toBe("running");
    expect((await word(box, started, "abort")).status).toBe(200);
    expect(await ended(box, started)).toMatchObject({ outcome: "aborted" });
    expect(slug(await box.ask("POST", "/v1/runs/nobody/pause"))).toMatchObject({ status: 404 });
  });

  it("is taken over: what moves is stopped, and the run is held", async () => {
    const box = slow(await ready());
    await define(box);
    const started = await run(box);
    await box.until(() => moves(box).length === 1);
    const { body } = await box.ask("GET", "/v1/leases");
    const [lease] = body["items"] as { id: string }[];
    await box.ask("POST", `/v1/leases/${lease?.id}/take`, { body: { reason: "my turn" } });
    expect(await ended(box, started)).toMatchObject({ outcome: "held" });
  });
});

it("is stopped when the log takes no more of it, and is held once the log has that", async () => {
  let full = false;
  const box = slow(
    await ready({
      openLog: async (directory, clock, random) => {
        const log = await openEventLog({ directory, clock, random, box: "test_box" });
        const append = log.append.bind(log);
        log.append = (events, options) =>
          full ? Promise.reject(new LogError("log-full", {}, "no space")) : append(events, options);
        return log;
      },
    }),
  );
  await define(box);
  const started = await run(box);
  await box.until(() => moves(box).length === 1);
  full = true;
  expect((await word(box, started, "pause")).status).toBe(503);
  await box.until(() => new Set(box.bridge?.stops.map(({ axis }) => axis)).size === 2);
  full = false;
  expect(await ended(box, started)).toMatchObject({ outcome: "held" });
  expect(moves(box)).toHaveLength(1);
});

it("waits for a position that only samples show", async () => {
  const box = await ready();
  await define(box, {
    name: "watch",
    axes: ["x1"],
    steps: [{ kind: "wait", until: { axis: "z1", positionAtLeast: 50 } }],
  });
  const started = await run(box, "watch");
  const sample = {
    axis: "z1" as AxisId,
    positionCounts: -2600,
    velocityCountsPerS: 0,
    followingErrorCounts: null,
    torque: null,
    temperature: null,
    moving: true,
    quality: "good",
  } as const;
  box.pair.bridge.publish("samples", { type: "samples", samples: [{ ...sample, atUs: box.clock.wallUs() }] });
  expect(await ended(box, started)).toMatchObject({ outcome: "completed" });
});

describe("a trigger", () => {
  const FEED = {
    name: "feed",
    steps: [move("z1", 5, { compensation: { kind: "none" } })],
    triggers: [{ event: "RunEnded", id: "picked", program: "pick", when: [{ axis: "x2", positionAtMost: 1 }] }],
  };
  const armed = async (box: ControllerRig) => (await box.ask("GET", "/v1/programs/feed")).body["armed"];

  it("starts the conveyor when the grab is done, once armed by a person", async () => {
    const box = await ready();
    await define(box);
    await define(box, FEED);
    await ended(box, await run(box));
    expect(await armed(box)).toBe(false);
    expect((await box.ask("POST", "/v1/programs/feed/arm")).body["armed"]).toBe(true);
    const picked = await run(box);
    await ended(box, picked);
    await box.until(async () => (await box.events()).some(({ type }) => type === "TriggerFired"));
    const started = (await box.events()).filter(({ type }) => type === "RunStarted").at(-1);
    expect(started?.data).toMatchObject({ program: { name: "feed" }, trigger: { name: "picked" } });
    await box.until(() => moves(box).some(({ axis }) => axis === "z1"));
  });

  it("may start a program on the very axes that the run before has just given back", async () => {
    const box = await ready();
    await define(box);
    await define(box, { ...PICK, name: "feed", triggers: [{ event: "RunEnded", id: "again", program: "pick" }] });
    await box.ask("POST", "/v1/programs/feed/arm");
    await ended(box, await run(box));
    await box.until(async () => (await box.events()).some(({ type }) => type === "TriggerFired"));
    expect((await box.events()).find(({ type }) => type === "TriggerFired")?.data).toMatchObject({ problem: null });
  });

  it("is disarmed by any stop, and cannot be armed while one is latched", async () => {
    const box = await ready();
    await define(box, {
      ...FEED,
      triggers: [{ event: "CommandSucceeded", id: "moved", axis: "x1", command: "MoveAbsolute" }],
    });
    await box.ask("POST", "/v1/programs/feed/arm");
    await box.ask("POST", "/v1/axes/x2/stop");
    expect(await armed(box)).toBe(false);
    expect(slug(await box.ask("POST", "/v1/programs/feed/arm"))).toEqual({
      status: 409,
      type: "/problems/stop-latched",
    });
    const body = { type: "MoveAbsolute", position: 5 };
    await box.ask("POST", "/v1/axes/x1/commands", { body, headers: { prefer: "wait=5" } });
    expect(moves(box).map(({ axis }) => axis)).toEqual(["x1"]);
  });

  it("fires for the command it names, and is disarmed when its program cannot start", async () => {
    const box = await ready();
    await define(box, {
      ...FEED,
      triggers: [{ event: "CommandSucceeded", id: "moved", axis: "x1", command: "MoveAbsolute" }],
    });
    await box.ask("POST", "/v1/programs/feed/arm");
    await box.ask("POST", "/v1/leases", { body: { axes: ["z1"], ttlMs: 60_000 } });
    await box.ask("POST", "/v1/axes/x1/commands", { body: { type: "MoveAbsolute", position: 5 } });
    await box.until(async () => (await box.events()).some(({ type }) => type === "TriggerFired"));
    expect((await box.events()).find(({ type }) => type === "TriggerFired")?.data).toMatchObject({
      runId: null,
      problem: { slug: "axis-leased" },
    });
    await box.until(async () => (await armed(box)) === false);
  });
});
