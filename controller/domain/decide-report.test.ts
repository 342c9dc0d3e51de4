import type { AxisAbilities, OrderRefusal, Report } from "@servofleet/contracts";
import { describe, expect, test } from "vitest";
import { AXIS, AxisScene, about, aProblem, axisConfig } from "./testing/axis-scene.ts";

const move = (position: number) => ({ type: "MoveAbsolute", position }) as const;
const fault = { code: "0x0E0", name: "over-current", remedy: "Check the motor cable" };

describe("the story of a move", () => {
  test("is accepted, dispatched, sent, acknowledged, moving and succeeded, with numbers in display units", () => {
    const scene = AxisScene.ready();
    const id = scene.accepts(move(120.5));
    scene.dispatches(id);
    scene.hears({ type: "order-sent", ...about(id), orderId: `order-${id}` });
    scene.acknowledges(id, 12050);
    scene.hears({ type: "motion-started", ...about(id), positionCounts: 3 });
    const summary = { durationMs: 900, peakVelocityCountsPerS: 20_000, peakFollowingErrorCounts: 50, samples: 45 };
    scene.hears({ type: "order-done", ...about(id), positionCounts: 12049, summary });
    expect(scene.typesOf(id)).toEqual([
      "MoveAccepted",
      "DispatchStarted",
      "CommandSent",
      "DispatchAcknowledged",
      "MotionStarted",
      "CommandSucceeded",
    ]);
    const { finalPosition, finalError, summary: shown } = scene.last("CommandSucceeded");
    expect(finalPosition).toBe(120.49);
    expect(finalError).toBeCloseTo(-0.01, 9);
    expect(shown).toEqual({ durationMs: 900, peakVelocity: 200, peakFollowingError: 0.5, samples: 45 });
    expect(scene.axis).toMatchObject({ state: "standstill", currentCommand: null, moving: false });
  });

  test("shows the PLCopen state of what drives the axis", () => {
    const shows = (request: Parameters<AxisScene["runs"]>[0]) => {
      const scene = AxisScene.ready(axisConfig({ allowUnboundedMoves: true }));
      scene.runs(request);
      return scene.axis.state;
    };
    expect(shows(move(1))).toBe("discrete-motion");
    expect(shows({ type: "Halt" })).toBe("discrete-motion");
    expect(shows({ type: "MoveVelocity", velocity: 1 })).toBe("continuous-motion");
    expect(shows({ type: "Home" })).toBe("homing");
  });

  test("nothing that comes after its end changes it", () => {
    const scene = AxisScene.ready();
    const id = scene.runs(move(1));
    scene.does(id);
    const late: Report[] = [
      { type: "order-done", ...about(id), positionCounts: 1, summary: null },
      { type: "order-failed", ...about(id), problem: aProblem("drive-fault"), positionCounts: 1 },
      { type: "order-aborted", ...about(id), by: "stop", detail: "", positionCounts: 1 },
      { type: "order-unsettled", ...about(id), problem: aProblem("bus-timeout") },
      { type: "motion-started", ...about(id), positionCounts: 1 },
    ];
    for (const report of late) expect(scene.hears(report)).toEqual([]);
  });

  test("a phase never goes back: an acknowledgement after motion was seen gives nothing", () => {
    const scene = AxisScene.ready();
    const id = scene.runs(move(1));
    expect(scene.acknowledges(id)).toEqual([]);
  });
});

describe("an order that was refused before its first byte", () => {
  const ends: [OrderRefusal, string][] = [
    ["expired", "CommandExpired"],
    ["stale-generation", "CommandStopped"],
    ["superseded", "CommandSuperseded"],
    ["cancelled", "CommandCancelled"],
    ["stale-epoch", "CommandFailed"],
    ["axis-offline", "CommandFailed"],
    ["link-down", "CommandFailed"],
    ["not-ready", "CommandFailed"],
    ["unsupported", "CommandFailed"],
    ["queue-full", "CommandFailed"],
  ];
  test.each(ends)("for the reason %s ends as %s", (reason, end) => {
    const scene = AxisScene.ready();
    const id = scene.accepts(move(1));
    scene.dispatches(id);
    const report = { type: "order-refused", ...about(id), orderId: `order-${id}`, reason } as const;
    scene.hears({ ...report, problem: aProblem("link-down") });
    expect(scene.typesOf(id).at(-1)).toBe(end);
    expect(scene.axis.state).toBe("standstill");
  });

  test("leaves the motion it had superseded to nobody, and says so, so that it is stopped", () => {
    const scene = AxisScene.ready();
    scene.runs(move(500));
    const second = scene.accepts(move(1));
    scene.dispatches(second);
    const refused = { type: "order-refused", ...about(second), orderId: `order-${second}` } as const;
    const events = scene.hears({ ...refused, reason: "expired", problem: aProblem("ttl-out-of-range") });
    expect(events).toEqual(["CommandExpired", "UnexpectedMotionSeen", "AxisStateChanged"]);
    expect(scene.refused(move(1)).detail).toBe("axis x1 moves without a command of ours");
  });
});

describe("a write that timed out", () => {
  const unknown = (scene: AxisScene) => {
    const id = scene.accepts(move(1));
    scene.dispatches(id);
    const orderId = `order-${id}`;
    scene.hears({ type: "order-unknown", ...about(id), orderId, problem: aProblem("bus-timeout") });
    return id;
  };

  test("leaves the state as it is and the outcome unknown, until reading settles it", () => {
    const scene = AxisScene.ready();
    const id = unknown(scene);
    expect(scene.axis.open.get(id)).toMatchObject({ phase: "dispatched", outcomeUnknown: true });
    const settled = { type: "order-acknowledged", ...about(id), orderId: `order-${id}` } as const;
    scene.hears({ ...settled, targetCounts: 100, settledByReading: true });
    expect(scene.axis.open.get(id)).toMatchObject({ phase: "acknowledged", outcomeUnknown: false });
  });

  test("is settled by motion of that order", () => {
    const scene = AxisScene.ready();
    const id = unknown(scene);
    const events = scene.hears({ type: "motion-started", ...about(id), positionCounts: 1 });
    expect(events).toEqual(["DispatchAcknowledged", "MotionStarted"]);
    expect(scene.last("DispatchAcknowledged")).toMatchObject({ settledByReading: true, targetCounts: null });
  });

  test("and cannot be settled ends indeterminate and waits for a person; nothing is sent again", () => {
    const scene = AxisScene.ready();
    const id = unknown(scene);
    const events = scene.hears({ type: "order-unsettled", ...about(id), problem: aProblem("bus-timeout") });
    expect(events).toEqual(["CommandIndeterminate", "ReconcileRequired", "AxisStateChanged"]);
    expect(scene.axis).toMatchObject({ reconcileRequired: true, unsettled: [id] });
    expect(scene.refused(move(1)).slug).toBe("reconcile-required");
    expect(scene.refused({ type: "Enable" }).slug).toBe("reconcile-required");
    scene.accepts({ type: "Halt" });
  });

  test("needs no person where nothing could move", () => {
    const scene = AxisScene.ready();
    const id = scene.accepts({ type: "WriteParameter", parameter: "gain", value: 1 });
    scene.dispatches(id);
    scene.hears({ type: "order-unsettled", ...about(id), problem: aProblem("bus-timeout") });
    expect(scene.typesOf(id).at(-1)).toBe("CommandIndeterminate");
    expect(scene.axis.reconcileRequired).toBe(false);
  });
});

describe("what ends a motion", () => {
  test("a Halt: the running motion ends stopped, the Halt succeeded", () => {
    const scene = AxisScene.ready();
    const running = scene.runs(move(500));
    const halt = scene.accepts({ type: "Halt" });
    scene.dispatches(halt);
    expect(scene.axis.open.has(running)).toBe(true);
    scene.hears({ type: "order-aborted", ...about(running), by: "halt", detail: "", positionCounts: 2000 });
    expect(scene.last("CommandStopped")).toMatchObject({ by: "Halt", finalPosition: 20 });
    expect(scene.axis.state).toBe("discrete-motion");
    scene.does(halt, 2300);
    expect(scene.axis).toMatchObject({ state: "standstill", currentCommand: null });
  });

  test("a Halt or Disable that is done, where the bridge has not spoken of the motion", () => {
    for (const type of ["Halt", "Disable"] as const) {
      const scene = AxisScene.ready();
      const running = scene.runs(move(500));
      const id = scene.accepts({ type });
      scene.dispatches(id);
      scene.does(id, 2300);
      expect(scene.typesOf(running).at(-1)).toBe("CommandStopped");
      expect(scene.last("CommandStopped")).toMatchObject({ by: type, finalPosition: 23 });
      expect(scene.axis.open.size).toBe(0);
    }
  });

  test("a limit: it ends stopped, the limit is recorded, and the axis is stopping until it stands", () => {
    const scene = AxisScene.ready();
    const id = scene.runs({ type: "MoveVelocity", velocity: 100 });
    const report = { type: "order-aborted", ...about(id), by: "limit", detail: "max 800 mm" } as const;
    const events = scene.hears({ ...report, positionCounts: 79_000 });
    expect(events).toEqual(["CommandStopped", "LimitReached", "AxisStateChanged"]);
    expect(scene.last("LimitReached")).toEqual({ limit: "max 800 mm", position: 790 });
    expect(scene.axis.state).toBe("stopping");
    expect(scene.reads({ moving: true, positionCounts: 79_500 })).toEqual([]);
    scene.reads({ positionCounts: 79_900 });
    expect(scene.axis.state).toBe("standstill");
  });

  test("a fault: failed with its problem, and the state is error-stop as soon as the fault is read", () => {
    const scene = AxisScene.ready();
    const id = scene.runs(move(500));
    scene.hears({ type: "order-failed", ...about(id), problem: aProblem("drive-fault"), positionCounts: 100 });
    expect(scene.last("CommandFailed").problem.slug).toBe("drive-fault");
    expect(scene.reads({ fault, moving: true })).toEqual(["FaultRaised", "AxisStateChanged"]);
    expect(scene.axis.state).toBe("error-stop");
  });
});

describe("what a reading shows", () => {
  test("going off line and coming back", () => {
    const scene = AxisScene.ready();
    const gone = { online: false, offlineReason: "no reply for 600 ms" };
    expect(scene.reads(gone)).toEqual(["AxisWentOffline", "AxisStateChanged"]);
    expect(scene.axis).toMatchObject({ state: "offline", offlineReason: "no reply for 600 ms" });
    expect(scene.reads(gone)).toEqual([]);
    expect(scene.reads({})).toEqual(["AxisCameOnline", "AxisStateChanged"]);
    expect(scene.axis.state).toBe("standstill");
  });

  test("a fault that changes is cleared and raised", () => {
    const scene = AxisScene.ready();
    scene.reads({ fault });
    expect(scene.reads({ fault: { ...fault, code: "0x0E1" } })).toEqual(["FaultCleared", "FaultRaised"]);
    expect(scene.reads({})).toEqual(["FaultCleared", "AxisStateChanged"]);
  });

  test("motion that no command of ours asked for", () => {
    const scene = AxisScene.ready();
    expect(scene.reads({ moving: true })).toEqual(["UnexpectedMotionSeen", "AxisStateChanged"]);
    expect(scene.reads({ moving: true })).toEqual([]);
    scene.stops();
    expect(scene.axis.state).toBe("stopping");
    scene.reads({});
    expect(scene.axis).toMatchObject({ state: "standstill", unexpectedMotion: false });
  });

  test("a shaft without power that is turned by hand is no motion of ours", () => {
    const scene = AxisScene.ready();
    scene.reads({ enabled: false });
    expect(scene.reads({ enabled: false, moving: true })).toEqual([]);
  });

  test("an axis still running down after a stop is no unexpected motion", () => {
    const scene = AxisScene.ready();
    scene.dispatches(scene.accepts(move(500)));
    scene.stops();
    expect(scene.reads({ moving: true })).toEqual([]);
    scene.reads({});
    expect(scene.axis.state).toBe("standstill");
    expect(scene.reads({ moving: true })).toContain("UnexpectedMotionSeen");
  });

  test("the abilities of the drive, when they have changed", () => {
    const scene = AxisScene.ready();
    const abilities: AxisAbilities = {
      axis: AXIS,
      profile: "leadshine-icl-rs",
      commands: ["Enable"],
      parameters: [],
      commLoss: { supported: false, reaction: "none" },
      positionWindowCounts: 5,
    };
    const report: Report = { type: "bridge-ready", bridgeBoot: "b1", axes: [abilities] };
    expect(scene.hears(report)).toEqual(["AxisAbilitiesSeen"]);
    expect(scene.hears({ ...report, bridgeBoot: "b2" })).toEqual([]);
  });
});

describe("Enable, Disable, Home and Reset through the drive", () => {
  test("show what they have done", () => {
    const scene = AxisScene.ready();
    const through = (type: "Enable" | "Disable" | "Home" | "Reset") => {
      const id = scene.accepts({ type });
      scene.dispatches(id);
      scene.does(id);
    };
    through("Disable");
    expect(scene.axis.state).toBe("disabled");
    through("Enable");
    expect(scene.axis.state).toBe("standstill");
    scene.reads({ homed: false });
    through("Home");
    expect(scene.axis.homed).toBe(true);
    scene.reads({ fault });
    through("Reset");
    expect(scene.axis).toMatchObject({ fault: null, state: "standstill" });
  });

  test("a Reset through the drive keeps a latch that a newer stop has set", () => {
    const scene = AxisScene.ready();
    scene.reads({ fault });
    const id = scene.accepts({ type: "Reset" });
    scene.dispatches(id);
    scene.stops();
    scene.does(id);
    expect(scene.axis).toMatchObject({ fault: null, stopLatched: true });
  });

  test("a Reset through the drive releases the latch it was asked under", () => {
    const scene = AxisScene.ready();
    scene.stops();
    scene.reads({ fault });
    const id = scene.accepts({ type: "Reset" });
    scene.dispatches(id);
    scene.does(id);
    expect(scene.typesOf(id).slice(2)).toEqual(["FaultCleared", "LatchReleased", "CommandSucceeded"]);
  });
});

test("a report about another axis says nothing here", () => {
  const scene = AxisScene.ready();
  const id = scene.runs(move(1));
  const other = { ...about(id), axis: "x2" as typeof AXIS };
  expect(scene.hears({ type: "order-done", ...other, positionCounts: 0, summary: null })).toEqual([]);
  expect(scene.reads({ axis: other.axis, enabled: false })).toEqual([]);
  expect(scene.status).toMatchObject({ axis: AXIS, moving: true });
});
