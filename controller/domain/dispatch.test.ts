import { describe, expect, test } from "vitest";
import { isRefusal } from "./decide.ts";
import { failDispatch, orderAction } from "./dispatch.ts";
import { AxisScene, aProblem, axisConfig } from "./testing/axis-scene.ts";
import { cancel, expire } from "./withdraw.ts";

const move = (position: number) => ({ type: "MoveAbsolute", position }) as const;

describe("what is sent", () => {
  const config = axisConfig({
    countsPerUnit: -100,
    allowUnboundedMoves: true,
    homing: { required: true, method: 17, velocity: 20, offset: 2.5 },
  });
  const sent = (request: Parameters<AxisScene["accepts"]>[0]) => {
    const scene = AxisScene.ready(config);
    scene.reads({ positionCounts: -100 });
    if (request.type === "Enable") scene.reads({ enabled: false });
    const id = scene.accepts(request);
    return orderAction(scene.axis, id);
  };

  test("is in counts of the machine frame, rates of moves as magnitudes", () => {
    expect(sent({ type: "MoveAbsolute", position: 120.5, velocity: 80, acceleration: 500 })).toEqual({
      kind: "move-absolute",
      targetCounts: -12050,
      velocity: 8000,
      acceleration: 50_000,
      deceleration: 50_000,
    });
    expect(sent({ type: "Home" })).toEqual({
      kind: "home",
      method: 17,
      velocity: 2000,
      acceleration: 500_000,
      offsetCounts: -250,
    });
    expect(sent({ type: "Halt" })).toEqual({ kind: "halt", deceleration: 500_000 });
  });

  test("keeps the sign of a velocity move and carries the limits, lower counts first", () => {
    expect(sent({ type: "MoveVelocity", velocity: 5 })).toEqual({
      kind: "move-velocity",
      velocity: -500,
      acceleration: 500_000,
      deceleration: 500_000,
      minCounts: -80_000,
      maxCounts: 0,
    });
  });

  test("is plain for what only switches", () => {
    expect(sent({ type: "Disable" })).toEqual({ kind: "disable" });
    expect(sent({ type: "Enable" })).toEqual({ kind: "enable" });
    expect(sent({ type: "WriteParameter", parameter: "gain", value: 4 })).toEqual({
      kind: "write-parameter",
      parameter: "gain",
      value: 4,
    });
  });
});

describe("what is not sent any more", () => {
  test("a target beyond limits that have become narrower since the decision", () => {
    const scene = AxisScene.ready();
    const id = scene.accepts(move(700));
    const limits = { ...scene.axis.config.limits, max: 600 };
    scene.axis = { ...scene.axis, config: { ...scene.axis.config, limits } };
    expect(scene.dispatches(id)).toEqual(["CommandFailed"]);
    expect(scene.last("CommandFailed").problem).toMatchObject({
      slug: "soft-limit",
      detail: "target 70000 counts is outside 0 to 60000 counts",
    });
  });

  test("a motion whose axis has lost its power, its answer or its health", () => {
    for (const [seen, slug] of [
      [{ enabled: false }, "axis-not-ready"],
      [{ online: false }, "axis-offline"],
      [{ fault: { code: "1", name: "n", remedy: "r" } }, "axis-not-ready"],
    ] as const) {
      const scene = AxisScene.ready();
      const id = scene.accepts(move(1));
      scene.reads(seen);
      const action = orderAction(scene.axis, id);
      expect(isRefusal(action) && action.problem.slug).toBe(slug);
    }
  });

  test("a command that was decided under an older stop generation", () => {
    const scene = AxisScene.ready();
    const id = scene.accepts({ type: "Disable" });
    scene.axis = { ...scene.axis, stopGeneration: 1 };
    const action = orderAction(scene.axis, id);
    expect(isRefusal(action) && action.problem.slug).toBe("stop-latched");
  });
});

describe("withdrawing", () => {
  test("what waits can expire and be cancelled, once", () => {
    const scene = AxisScene.ready();
    const first = scene.accepts({ type: "Disable" });
    expect(scene.append(expire(scene.axis, first))).toEqual(["CommandExpired"]);
    expect(expire(scene.axis, first)).toEqual([]);
    const second = scene.accepts({ type: "Disable" });
    const cancelled = cancel(scene.axis, second, "local");
    if (isRefusal(cancelled)) throw new Error("must be cancelled");
    expect(scene.append(cancelled)).toEqual(["CommandCancelled"]);
    expect(failDispatch(scene.axis, second, aProblem("axis-offline"))).toEqual([]);
  });

  test("what was sent or has ended is refused with words", () => {
    const scene = AxisScene.ready();
    const id = scene.runs(move(1));
    expect(expire(scene.axis, id)).toEqual([]);
    expect(cancel(scene.axis, id, "local")).toMatchObject({
      problem: { slug: "already-dispatched", detail: `MoveAbsolute ${id} has been sent (it is moving)` },
    });
    scene.does(id);
    expect(cancel(scene.axis, id, "local")).toMatchObject({
      problem: { slug: "already-dispatched", detail: `command ${id} has ended already` },
    });
  });

  test("a cancelled successor leaves the running motion alone", () => {
    const scene = AxisScene.ready();
    const running = scene.runs(move(500));
    const next = scene.accepts(move(1));
    const cancelled = cancel(scene.axis, next, "local");
    if (isRefusal(cancelled)) throw new Error("must be cancelled");
    scene.append(cancelled);
    expect(scene.axis).toMatchObject({ currentCommand: running, state: "discrete-motion" });
  });
});
