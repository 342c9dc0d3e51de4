import type { AxisConfig, AxisStatus, CommandId } from "@servofleet/contracts";
import { describe, expect, test } from "vitest";
import { isRefusal } from "./decide.ts";
import { reconcile } from "./reconcile.ts";
import { decideRecovery, recoverAtStart, type Settled } from "./recover.ts";
import { AxisScene, about, aProblem, axisConfig, statusOf } from "./testing/axis-scene.ts";

const move = (position: number) => ({ type: "MoveAbsolute", position }) as const;
const fault = { code: "0x0E0", name: "over-current", remedy: "Check the motor cable" };

const restarts = (scene: AxisScene) => {
  const { events, settle } = recoverAtStart(scene.axis);
  return { types: scene.append(events), settle };
};
const settles = (scene: AxisScene, id: CommandId, finding: Settled["finding"], status: Partial<AxisStatus> = {}) => {
  const decision = decideRecovery(scene.axis, { type: "settled", ...about(id), finding, status: statusOf(status) });
  return { ...decision, types: scene.append(decision.events) };
};
const restartedWith = (request: Parameters<AxisScene["runs"]>[0], config?: Partial<AxisConfig>) => {
  const scene = AxisScene.ready(axisConfig({ allowUnboundedMoves: true, ...config }));
  const id = scene.runs(request);
  restarts(scene);
  return { scene, id };
};

describe("at the start", () => {
  test("what was only accepted expires, and the axis is off line until it is read", () => {
    const scene = AxisScene.ready();
    const id = scene.accepts(move(1));
    expect(restarts(scene)).toEqual({ types: ["CommandExpired", "AxisWentOffline", "AxisStateChanged"], settle: [] });
    expect(scene.typesOf(id).at(-1)).toBe("CommandExpired");
    expect(scene.axis.state).toBe("offline");
  });

  test("what was dispatched is settled by reading", () => {
    const scene = AxisScene.ready();
    const id = scene.accepts(move(1));
    scene.dispatches(id);
    expect(restarts(scene).settle).toEqual([{ commandId: id, targetCounts: 100 }]);
  });

  test("a write whose outcome was open ends indeterminate", () => {
    const scene = AxisScene.ready();
    const id = scene.accepts(move(1));
    scene.dispatches(id);
    const orderId = `order-${id}`;
    scene.hears({ type: "order-unknown", ...about(id), orderId, problem: aProblem("bus-timeout") });
    expect(restarts(scene).settle).toEqual([]);
    expect(scene.typesOf(id).at(-1)).toBe("CommandIndeterminate");
    expect(scene.axis.reconcileRequired).toBe(true);
  });

  test("doing it twice does it once", () => {
    const scene = AxisScene.ready();
    scene.accepts(move(1));
    restarts(scene);
    expect(restarts(scene).types).toEqual([]);
  });
});

describe("the recovery table", () => {
  test("in position: succeeded, inferred from the reading", () => {
    const { scene, id } = restartedWith(move(1));
    expect(settles(scene, id, "in-position", { positionCounts: 101 })).toMatchObject({
      types: ["AxisCameOnline", "CommandSucceeded", "AxisStateChanged"],
      stop: false,
      action: "succeeded (inferred)",
    });
    expect(scene.last("CommandSucceeded").finalError).toBeCloseTo(0.01, 9);
    expect(scene.axis.state).toBe("standstill");
  });

  test("standing elsewhere: stopped when the drive had confirmed it, else indeterminate", () => {
    const { scene, id } = restartedWith(move(500));
    settles(scene, id, "standing-elsewhere", { positionCounts: 1000 });
    expect(scene.last("CommandStopped")).toMatchObject({ finalPosition: 10 });
    expect(scene.axis.reconcileRequired).toBe(false);

    const unconfirmed = AxisScene.ready();
    const other = unconfirmed.accepts(move(500));
    unconfirmed.dispatches(other);
    restarts(unconfirmed);
    settles(unconfirmed, other, "standing-elsewhere");
    expect(unconfirmed.typesOf(other).at(-1)).toBe("CommandIndeterminate");
    expect(unconfirmed.axis.reconcileRequired).toBe(true);
  });

  test("moving, policy stop: a stop, which ends the command", () => {
    const { scene, id } = restartedWith(move(500));
    expect(settles(scene, id, "moving", { moving: true })).toMatchObject({ stop: true, watch: false });
    expect(scene.axis.open.has(id)).toBe(true);
    scene.stops();
    expect(scene.typesOf(id).at(-1)).toBe("CommandStopped");
    expect(scene.axis.state).toBe("stopping");
  });

  test("moving, policy observe: watched, then a person reconciles", () => {
    const { scene, id } = restartedWith(move(500), { onRestartMoving: "observe" });
    expect(settles(scene, id, "moving", { moving: true })).toMatchObject({ stop: false, watch: true });
    expect(scene.axis.reconcileRequired).toBe(true);
    expect(settles(scene, id, "moving", { moving: true }).types).toEqual([]);
    settles(scene, id, "in-position", { positionCounts: 50_000 });
    expect(scene.typesOf(id).at(-1)).toBe("CommandSucceeded");
    expect(scene.refused(move(1)).slug).toBe("reconcile-required");
  });

  test("moving, policy observe: a motion without an end, or one the drive never confirmed, is stopped all the same", () => {
    const { scene, id } = restartedWith({ type: "MoveVelocity", velocity: 5 }, { onRestartMoving: "observe" });
    expect(settles(scene, id, "moving", { moving: true }).stop).toBe(true);
    const foreign = AxisScene.ready(axisConfig({ onRestartMoving: "observe" }));
    const other = foreign.accepts(move(500));
    foreign.dispatches(other);
    restarts(foreign);
    expect(settles(foreign, other, "moving", { moving: true }).stop).toBe(true);
  });

  test("a fault: failed", () => {
    const { scene, id } = restartedWith(move(500));
    settles(scene, id, "fault", { fault });
    expect(scene.last("CommandFailed").problem).toMatchObject({ slug: "drive-fault", remedy: fault.remedy });
    expect(scene.axis.state).toBe("error-stop");
  });

  test("silent: indeterminate, and a person is needed", () => {
    const { scene, id } = restartedWith(move(500));
    settles(scene, id, "silent", { online: false });
    expect(scene.typesOf(id).at(-1)).toBe("CommandIndeterminate");
    expect(scene.axis).toMatchObject({ reconcileRequired: true, state: "offline" });
  });

  test("nothing pending but moving: said aloud and stopped", () => {
    const scene = AxisScene.ready();
    restarts(scene);
    const decision = decideRecovery(scene.axis, statusOf({ moving: true }));
    expect(decision).toMatchObject({ stop: true, finding: "moving" });
    expect(scene.append(decision.events)).toContain("UnexpectedMotionSeen");
  });

  test("a stop of the former life is sent again to an axis that still moves", () => {
    const scene = AxisScene.ready();
    scene.runs(move(500));
    scene.stops();
    restarts(scene);
    const decision = decideRecovery(scene.axis, statusOf({ moving: true }));
    expect(decision.stop).toBe(true);
    expect(scene.append(decision.events)).not.toContain("UnexpectedMotionSeen");
  });

  test("what moved before a long silence and still moves after it is stopped, though its command has ended", () => {
    const { scene, id } = restartedWith(move(500));
    settles(scene, id, "silent", { online: false });
    expect(scene.reads({ moving: true, positionCounts: 9000 })).toContain("UnexpectedMotionSeen");

    const alive = AxisScene.ready();
    const other = alive.runs(move(500));
    alive.reads({ online: false, offlineReason: "no answer" });
    alive.hears({ type: "order-unsettled", ...about(other), problem: aProblem("bus-timeout") });
    expect(alive.reads({ moving: true, positionCounts: 9000 })).toContain("UnexpectedMotionSeen");
  });

  test("what a pending stop is bringing to rest is not unexpected after a silence", () => {
    const scene = AxisScene.ready();
    scene.runs(move(500));
    scene.stops();
    scene.reads({ online: false, offlineReason: "no answer" });
    expect(scene.reads({ moving: true, stopPending: true })).not.toContain("UnexpectedMotionSeen");
  });

  test("nothing pending and standing, or silent: nothing is done", () => {
    const scene = AxisScene.ready();
    restarts(scene);
    expect(decideRecovery(scene.axis, statusOf({ online: false }))).toMatchObject({ events: [], stop: false });
    expect(decideRecovery(scene.axis, statusOf())).toMatchObject({ stop: false, action: "none" });
  });

  test("what moves nothing is settled by what the reading proves", () => {
    const enable = AxisScene.ready();
    enable.reads({ enabled: false });
    const id = enable.accepts({ type: "Enable" });
    enable.dispatches(id);
    restarts(enable);
    settles(enable, id, "standing-elsewhere", { enabled: true });
    expect(enable.typesOf(id).at(-1)).toBe("CommandSucceeded");

    const write = AxisScene.ready();
    const other = write.accepts({ type: "WriteParameter", parameter: "gain", value: 1 });
    write.dispatches(other);
    restarts(write);
    settles(write, other, "standing-elsewhere");
    expect(write.typesOf(other).at(-1)).toBe("CommandIndeterminate");
    expect(write.axis.reconcileRequired).toBe(false);
  });

  test("a reference that was there before does not prove a Home", () => {
    const { scene, id } = restartedWith({ type: "Home" });
    settles(scene, id, "standing-elsewhere", { homed: true });
    expect(scene.typesOf(id).at(-1)).toBe("CommandStopped");
  });
});

describe("reconciling", () => {
  const open = () => {
    const { scene, id } = restartedWith(move(500));
    settles(scene, id, "silent", { online: false });
    return { scene, id };
  };

  test.each(["adopt", "abandon"] as const)("%s fills what was open and lets the axis go on", (decision) => {
    const { scene, id } = open();
    const events = reconcile(scene.axis, decision, "local");
    if (isRefusal(events)) throw new Error("must be reconciled");
    expect(scene.append(events)).toEqual(["OutcomeSettled", "AxisReconciled", "AxisStateChanged"]);
    expect(scene.typesOf(id).at(-1)).toBe("OutcomeSettled");
    expect(scene.axis).toMatchObject({ reconcileRequired: false, unsettled: [] });
  });

  test("with nothing to reconcile is refused", () => {
    expect(reconcile(AxisScene.ready().axis, "adopt", "local")).toMatchObject({ problem: { slug: "axis-not-ready" } });
  });

  test("abandoning a motion that still runs is refused; adopting it lets it end by itself", () => {
    const { scene, id } = restartedWith(move(500), { onRestartMoving: "observe" });
    settles(scene, id, "moving", { moving: true });
    expect(reconcile(scene.axis, "abandon", "local")).toMatchObject({ problem: { slug: "axis-not-ready" } });
    const adopted = reconcile(scene.axis, "adopt", "local");
    if (isRefusal(adopted)) throw new Error("must be adopted");
    scene.append(adopted);
    scene.does(id, 50_000);
    expect(scene.axis.state).toBe("standstill");
  });
});
