import { describe, expect, test } from "vitest";
import { decide, isRefusal, rejected } from "./decide.ts";
import { AxisScene, axisConfig, statusOf } from "./testing/axis-scene.ts";

const move = (position: number) => ({ type: "MoveAbsolute", position }) as const;

describe("taking a motion", () => {
  test("a move within the limits is accepted under the command's own id, in units and in counts", () => {
    const scene = AxisScene.ready();
    const id = scene.accepts({ type: "MoveAbsolute", position: 120.5, velocity: 80, acceleration: 500, ttlMs: 900 });
    const accepted = scene.log.at(-1);
    expect(accepted).toMatchObject({ id, commandId: id });
    expect(scene.last("MoveAccepted")).toEqual({
      commandType: "MoveAbsolute",
      request: { position: 120.5, velocity: 80, acceleration: 500 },
      principal: "local",
      fingerprint: "f".repeat(64),
      ttlMs: 900,
      stopGeneration: 0,
      target: 120.5,
      targetCounts: 12050,
      velocity: 80,
      acceleration: 500,
      deceleration: 500,
      sawState: "standstill",
      sawVersion: 2,
    });
  });

  test("what is left out takes the axis limits", () => {
    const scene = AxisScene.ready();
    scene.accepts(move(10));
    expect(scene.last("MoveAccepted")).toMatchObject({ velocity: 500, acceleration: 5000, deceleration: 5000 });
  });

  test("a position beyond the soft limit is refused with the number, the limit and the way out", () => {
    expect(AxisScene.ready().refused(move(900))).toEqual({
      slug: "soft-limit",
      detail: "position 900 mm is beyond max 800 mm",
      remedy: "ask for 0 to 800 mm",
      errors: [{ pointer: "/position", detail: "at most 800" }],
    });
    expect(AxisScene.ready().refused(move(-0.5))).toMatchObject({
      detail: "position -0.5 mm is below min 0 mm",
      errors: [{ pointer: "/position", detail: "at least 0" }],
    });
  });

  test("everything that is beyond a limit is named at once", () => {
    const problem = AxisScene.ready().refused({
      type: "MoveAbsolute",
      position: 801,
      velocity: 0,
      acceleration: 9000,
      deceleration: -1,
    });
    expect(problem.errors).toEqual([
      { pointer: "/position", detail: "at most 800" },
      { pointer: "/velocity", detail: "above 0" },
      { pointer: "/acceleration", detail: "at most 5000" },
      { pointer: "/deceleration", detail: "above 0" },
    ]);
  });

  test("the limit itself may be asked for, also where it lies between two counts", () => {
    const limits = { min: 0.004, max: 0.126, velocity: 1, acceleration: 1, torque: 100 };
    const scene = AxisScene.ready(axisConfig({ limits }));
    scene.accepts(move(0.126));
    expect(scene.last("MoveAccepted").targetCounts).toBe(12);
    scene.accepts(move(0.004));
    expect(scene.last("MoveAccepted").targetCounts).toBe(1);
  });

  test("a limit that binary fractions put just beside a whole count may be asked for too", () => {
    // 1.1 * 100 is 110.00000000000001, 0.57 * 100 is 56.99999999999999.
    const low = AxisScene.ready(axisConfig({ limits: { ...axisConfig().limits, min: 1.1 } }));
    low.accepts(move(1.1));
    expect(low.last("MoveAccepted").targetCounts).toBe(110);
    const high = AxisScene.ready(axisConfig({ limits: { ...axisConfig().limits, max: 0.57 } }));
    high.accepts(move(0.57));
    expect(high.last("MoveAccepted").targetCounts).toBe(57);
  });

  test("limits stay with the machine when the display is shifted", () => {
    const scene = AxisScene.ready();
    scene.accepts({ type: "SetPosition", position: 100 });
    expect(scene.axis.displayOffset).toBe(100);
    expect(scene.refused(move(50)).detail).toBe("position 50 mm is below min 100 mm");
    scene.accepts(move(900));
    expect(scene.last("MoveAccepted")).toMatchObject({ target: 900, targetCounts: 80000 });
  });

  test("an axis that counts backwards keeps its limits", () => {
    const scene = AxisScene.ready(axisConfig({ countsPerUnit: -100 }));
    scene.accepts(move(800));
    expect(scene.last("MoveAccepted").targetCounts).toBe(-80000);
    expect(scene.refused(move(801)).slug).toBe("soft-limit");
  });
});

describe("a relative move", () => {
  test("starts from the measured position at standstill and is absolute from there on", () => {
    const scene = AxisScene.ready();
    scene.reads({ positionCounts: 4007 });
    scene.accepts({ type: "MoveRelative", distance: 10 });
    expect(scene.last("MoveAccepted")).toMatchObject({ target: 50.07, targetCounts: 5007 });
  });

  test("starts from where the last move ended, also when no reading has shown that move", () => {
    const scene = AxisScene.ready();
    scene.does(scene.runs(move(100)), 9998);
    scene.accepts({ type: "MoveRelative", distance: 10 });
    expect(scene.last("MoveAccepted").targetCounts).toBe(10998);
  });

  const inWindow = (counts: number) => {
    const scene = AxisScene.ready();
    const commands = ["MoveAbsolute", "MoveRelative"];
    const seen = { profile: "p", commands, parameters: [], commLossSupported: false, commLossReaction: "none" };
    scene.append([{ event: { type: "AxisAbilitiesSeen", data: { ...seen, positionWindowCounts: 5 } } }]);
    scene.does(scene.runs(move(100)), counts);
    return scene;
  };

  test("starts from the set position that the drive holds, so that final errors do not add up", () => {
    const scene = inWindow(9998);
    for (const target of [110, 120, 130]) {
      const next = scene.accepts({ type: "MoveRelative", distance: 10 });
      expect(scene.last("MoveAccepted")).toMatchObject({ target, targetCounts: target * 100 });
      scene.dispatches(next);
      scene.does(next, target * 100 - 3);
    }
  });

  test("starts from the measured position once the drive no longer holds where it was sent", () => {
    const ends: readonly ((scene: AxisScene) => void)[] = [
      (scene) => scene.reads({ positionCounts: 9990 }),
      (scene) => scene.reads({ positionCounts: 9998, enabled: false }),
      (scene) => scene.reads({ positionCounts: 9998, online: false, offlineReason: "silent" }),
    ];
    for (const [n, end] of ends.entries()) {
      const scene = inWindow(9998);
      end(scene);
      scene.reads({ positionCounts: n === 0 ? 9990 : 9998 });
      scene.accepts({ type: "MoveRelative", distance: 10 });
      expect(scene.last("MoveAccepted").targetCounts, `case ${n}`).toBe(n === 0 ? 10990 : 10998);
    }
  });

  test("starts from the target of the move under way", () => {
    const scene = AxisScene.ready();
    scene.runs(move(100));
    scene.accepts({ type: "MoveRelative", distance: -30 });
    expect(scene.last("MoveAccepted")).toMatchObject({ target: 70, targetCounts: 7000 });
  });

  test("is refused on an axis that moves without a target", () => {
    const scene = AxisScene.ready(axisConfig({ allowUnboundedMoves: true }));
    scene.runs({ type: "MoveVelocity", velocity: 5 });
    expect(scene.refused({ type: "MoveRelative", distance: 1 }).slug).toBe("axis-not-ready");
  });

  test("beyond a limit names the distances that are allowed", () => {
    const scene = AxisScene.ready();
    scene.reads({ positionCounts: 40_000 });
    expect(scene.refused({ type: "MoveRelative", distance: 500 })).toMatchObject({
      detail: "distance 500 mm leads to position 900 mm, beyond max 800 mm",
      remedy: "ask for a distance of -400 to 400 mm",
      errors: [{ pointer: "/distance", detail: "at most 400" }],
    });
  });
});

describe("a velocity move", () => {
  const unbounded = axisConfig({ allowUnboundedMoves: true });

  test("is refused where the drive has no communication watchdog, unless the configuration names it", () => {
    const abilities = {
      axis: axisConfig().id,
      profile: "leadshine-icl-rs",
      commands: ["MoveVelocity"],
      parameters: [],
      commLoss: { supported: false, reaction: "none" },
      positionWindowCounts: 5,
    } as const;
    const report = { type: "bridge-ready", bridgeBoot: "b1", axes: [abilities] } as const;
    const scene = AxisScene.ready();
    scene.hears(report);
    expect(scene.refused({ type: "MoveVelocity", velocity: 5 }).slug).toBe("unsupported-by-drive");
    const allowed = AxisScene.ready(unbounded);
    allowed.hears(report);
    allowed.accepts({ type: "MoveVelocity", velocity: 5 });
  });

  test("keeps its sign, needs one, and has a highest value", () => {
    const scene = AxisScene.ready(unbounded);
    scene.reads({ positionCounts: 100 });
    scene.accepts({ type: "MoveVelocity", velocity: -12.5 });
    expect(scene.last("VelocityMoveAccepted")).toMatchObject({ velocity: -12.5, target: null, targetCounts: null });
    expect(scene.refused({ type: "MoveVelocity", velocity: 0 }).slug).toBe("soft-limit");
    expect(scene.refused({ type: "MoveVelocity", velocity: -501 }).errors).toEqual([
      { pointer: "/velocity", detail: "at most 500" },
    ]);
  });

  test("towards a limit the axis stands at is refused, away from it is taken", () => {
    const scene = AxisScene.ready(unbounded);
    scene.reads({ positionCounts: 80_000 });
    expect(scene.refused({ type: "MoveVelocity", velocity: 1 }).slug).toBe("soft-limit");
    scene.accepts({ type: "MoveVelocity", velocity: -1 });
  });
});

describe("what keeps a wish back, in this order", () => {
  test("another version than the client expects", () => {
    const scene = AxisScene.ready();
    expect(scene.refused(move(900), { expectedVersion: 1, ttlMs: 1 })).toMatchObject({
      slug: "version-mismatch",
      detail: "axis x1 is at version 2, the request expects 1",
    });
    expect(isRefusal(scene.ask(move(90), { expectedVersion: 2 }))).toBe(false);
  });

  test("a time to start out of range", () => {
    const scene = AxisScene.ready();
    for (const ttlMs of [49, 60_001, Number.NaN]) {
      expect(scene.refused(move(1), { ttlMs }).slug).toBe("ttl-out-of-range");
    }
    expect(scene.refused(move(1), { ttlMs: 10 }).detail).toBe("ttlMs 10 ms is outside 50 to 60000 ms");
  });

  test("a latched stop, for everything but Disable and Reset", () => {
    const scene = AxisScene.ready();
    scene.stops();
    for (const request of [move(1), { type: "Enable" }, { type: "Home" }, { type: "Halt" }] as const) {
      expect(scene.refused(request).slug).toBe("stop-latched");
    }
    scene.accepts({ type: "Disable" });
    scene.accepts({ type: "Reset" });
  });

  test("a drive that does not answer, has never been read, or was read only once", () => {
    expect(new AxisScene().refused(move(1)).slug).toBe("axis-offline");
    const scene = AxisScene.ready();
    scene.status = null;
    expect(scene.refused(move(1)).slug).toBe("axis-offline");
    scene.status = statusOf({ reads: 1 });
    expect(scene.refused(move(1)).detail).toContain("read 1 of 2 times");
    scene.reads({ online: false, offlineReason: "no reply for 600 ms" });
    expect(scene.refused({ type: "Enable" }).detail).toContain("no reply for 600 ms");
  });

  test("a fault, for everything but Reset and Disable, with the drive's own remedy", () => {
    const scene = AxisScene.ready();
    scene.reads({ fault: { code: "0x0E0", name: "over-current", remedy: "Check the motor cable" } });
    expect(scene.axis.state).toBe("error-stop");
    expect(scene.refused(move(1))).toMatchObject({
      slug: "axis-not-ready",
      remedy: "Check the motor cable; then send Reset",
    });
    scene.accepts({ type: "Reset" });
  });

  test("power that is off or going off", () => {
    const scene = AxisScene.ready();
    scene.accepts({ type: "Disable" });
    expect(scene.refused(move(1)).detail).toBe("axis x1 is being disabled");
    scene.reads({ enabled: false });
    expect(scene.axis.state).toBe("disabled");
    expect(scene.refused({ type: "Halt" }).detail).toBe("axis x1 is disabled");
  });

  test("homing that is required and missing, for moves to a position only", () => {
    const scene = AxisScene.ready();
    scene.reads({ homed: false });
    expect(scene.refused(move(1)).detail).toBe("axis x1 is not homed, and its homing is required");
    expect(scene.refused({ type: "MoveRelative", distance: 1 }).slug).toBe("axis-not-ready");
    scene.accepts({ type: "MoveVelocity", velocity: 1 });
    const free = AxisScene.ready(axisConfig({ homing: { required: false, method: 17, velocity: 20, offset: 0 } }));
    free.reads({ homed: false });
    free.accepts(move(1));
  });

  test("motion, for what needs standstill", () => {
    const scene = AxisScene.ready();
    scene.runs(move(100));
    for (const request of [
      { type: "Home" },
      { type: "SetPosition", position: 1 },
      { type: "WriteParameter", parameter: "gain", value: 1 },
    ] as const) {
      expect(scene.refused(request).detail).toContain("needs standstill");
    }
  });

  test("homing under way, for other motions", () => {
    const scene = AxisScene.ready();
    scene.runs({ type: "Home" });
    expect(scene.refused(move(1)).detail).toBe("axis x1 is homing");
    scene.accepts({ type: "Halt" });
  });

  test("a parameter or command that the profile does not have", () => {
    const scene = AxisScene.ready();
    const commLoss = { supported: true, reaction: "stop" };
    const known = { axis: scene.axis.id, profile: "p", parameters: ["gain"], commLoss, positionWindowCounts: 5 };
    scene.hears({ type: "bridge-ready", bridgeBoot: "b", axes: [{ ...known, commands: ["WriteParameter"] }] });
    expect(scene.refused({ type: "WriteParameter", parameter: "gian", value: 1 })).toMatchObject({
      slug: "unsupported-by-drive",
      remedy: "its parameters: gain",
      errors: [{ pointer: "/parameter", detail: "one the profile names" }],
    });
    scene.accepts({ type: "WriteParameter", parameter: "gain", value: 1 });
    expect(scene.refused({ type: "Home" }).slug).toBe("unsupported-by-drive");
  });
});

describe("one wish after another", () => {
  test("a newer motion ends an older one that was not sent, with nothing sent", () => {
    const scene = AxisScene.ready();
    const first = scene.accepts(move(1));
    const second = scene.accepts(move(2));
    expect(scene.typesOf(first)).toEqual(["MoveAccepted", "CommandSuperseded"]);
    expect(scene.last("CommandSuperseded").by).toBe(second);
  });

  test("a running motion goes on until its successor is dispatched", () => {
    const scene = AxisScene.ready();
    const first = scene.runs(move(100));
    const second = scene.accepts(move(200));
    expect(scene.axis.open.has(first)).toBe(true);
    expect(scene.dispatches(second)).toEqual(["CommandSuperseded", "DispatchStarted", "AxisStateChanged"]);
    expect(scene.axis.currentCommand).toBe(second);
  });

  test("a successor brakes at least as hard as the motion it replaces", () => {
    const scene = AxisScene.ready();
    scene.runs({ type: "MoveAbsolute", position: 100, deceleration: 800 });
    scene.accepts({ type: "Halt", deceleration: 10 });
    expect(scene.last("HaltAccepted").deceleration).toBe(800);
    scene.accepts({ type: "MoveAbsolute", position: 0, deceleration: 10 });
    expect(scene.last("MoveAccepted").deceleration).toBe(800);
  });

  test("a Halt or Disable stops what was not sent yet", () => {
    for (const type of ["Halt", "Disable"] as const) {
      const scene = AxisScene.ready();
      const waiting = scene.accepts(move(1));
      scene.accepts({ type });
      expect(scene.typesOf(waiting)).toEqual(["MoveAccepted", "CommandStopped"]);
      expect(scene.last("CommandStopped").by).toBe(type);
    }
  });
});

describe("commands that need nothing from the drive", () => {
  test("SetPosition shifts the display and is done at once", () => {
    const scene = AxisScene.ready();
    scene.reads({ positionCounts: 2500 });
    const id = scene.accepts({ type: "SetPosition", position: -5 });
    expect(scene.typesOf(id)).toEqual(["SetPositionAccepted", "DisplayOffsetSet", "CommandSucceeded"]);
    expect(scene.axis.displayOffset).toBe(-30);
    expect(scene.last("AxisStateChanged").position).toBe(-5);
    expect(scene.axis.positionCounts).toBe(2500);
  });

  test("SetPosition keeps the display where it can tell one count from the next", () => {
    const scene = AxisScene.ready();
    expect(scene.refused({ type: "SetPosition", position: 1e20 })).toMatchObject({
      slug: "soft-limit",
      errors: [{ pointer: "/position", detail: "at most 42949672" }],
    });
    expect(scene.refused({ type: "SetPosition", position: -1e20 }).slug).toBe("soft-limit");
    scene.accepts({ type: "SetPosition", position: 42_949_000 });
    scene.accepts({ type: "MoveRelative", distance: 0.01 });
    expect(scene.last("MoveAccepted").targetCounts).toBe(1);
  });

  test("Reset without a fault releases the latch at standstill and sends nothing", () => {
    const scene = AxisScene.ready();
    scene.stops();
    const id = scene.accepts({ type: "Reset" });
    expect(scene.typesOf(id)).toEqual(["ResetAccepted", "LatchReleased", "CommandSucceeded"]);
    expect(scene.axis).toMatchObject({ stopLatched: false, state: "standstill" });
  });

  test("Enable of an axis that has power succeeds; one that is being disabled is enabled anew", () => {
    const scene = AxisScene.ready();
    const id = scene.accepts({ type: "Enable" });
    expect(scene.typesOf(id)).toEqual(["EnableAccepted", "CommandSucceeded"]);
    scene.accepts({ type: "Disable" });
    expect(scene.typesOf(scene.accepts({ type: "Enable" }))).toEqual(["EnableAccepted"]);
  });

  test("Reset without fault and latch succeeds", () => {
    const scene = AxisScene.ready();
    const id = scene.accepts({ type: "Reset" });
    expect(scene.typesOf(id)).toEqual(["ResetAccepted", "CommandSucceeded"]);
  });

  test("Reset does not release a latch while the axis moves", () => {
    const scene = AxisScene.ready();
    scene.runs(move(100));
    scene.reads({ moving: true });
    scene.stops();
    expect(scene.axis.state).toBe("stopping");
    expect(scene.refused({ type: "Reset" }).detail).toContain("only released at measured standstill");
    scene.reads({ moving: false, positionCounts: 3000 });
    expect(scene.axis).toMatchObject({ state: "standstill", stopLatched: true });
    scene.accepts({ type: "Reset" });
  });

  test("Reset waits for a stop that the drive has not acknowledged yet", () => {
    const scene = AxisScene.ready();
    scene.stops();
    scene.reads({ stopPending: true });
    expect(scene.refused({ type: "Reset" }).slug).toBe("axis-not-ready");
    const result = { type: "stop-result", stopId: "stop-1", axis: scene.axis.id, stopGeneration: 1, atUs: 1 } as const;
    scene.hears({ ...result, result: "acknowledged", reason: "person", problem: null, frames: [] });
    scene.accepts({ type: "Reset" });
  });

  test("Reset does not trust a reading that was told before the stop and came after it", () => {
    const scene = AxisScene.ready();
    scene.runs(move(100));
    scene.stops();
    scene.reads({ moving: false, stopGeneration: 0 });
    expect(scene.refused({ type: "Reset" }).slug).toBe("axis-not-ready");
    const result = { type: "stop-result", stopId: "stop-1", axis: scene.axis.id, stopGeneration: 1, atUs: 1 } as const;
    scene.hears({ ...result, result: "acknowledged", reason: "person", problem: null, frames: [] });
    expect(scene.refused({ type: "Reset" }).slug).toBe("axis-not-ready");
    scene.reads({ moving: false });
    scene.accepts({ type: "Reset" });
  });

  test("SetPosition waits while a shaft without power is turned by hand", () => {
    const scene = AxisScene.ready();
    scene.reads({ enabled: false, moving: true });
    expect(scene.refused({ type: "SetPosition", position: 0 }).slug).toBe("axis-not-ready");
    scene.reads({ enabled: false });
    scene.accepts({ type: "SetPosition", position: 0 });
  });

  test("Reset does not trust a reading older than the order the stop has ended", () => {
    const scene = AxisScene.ready();
    scene.dispatches(scene.accepts(move(100)));
    scene.stops();
    // The newest reading is from before the dispatch and shows standstill.
    expect(scene.refused({ type: "Reset" }).slug).toBe("axis-not-ready");
  });
});

test("a refusal is recorded under the command's id with the wish and the reason", () => {
  const scene = AxisScene.ready();
  const command = scene.command(move(900));
  const refusal = decide(command, scene.axis, scene.status);
  if (!isRefusal(refusal)) throw new Error("must be refused");
  const event = rejected(command, refusal);
  expect(event).toMatchObject({ id: command.commandId, event: { type: "CommandRejected" } });
  expect(scene.append([event])).toEqual(["CommandRejected"]);
  expect(scene.axis.open.size).toBe(0);
});
