import type { Report } from "@servofleet/contracts";
import { expect, test } from "vitest";
import { isRefusal } from "./decide.ts";
import { nextStopGeneration } from "./decide-stop.ts";
import { AXIS, AxisScene } from "./testing/axis-scene.ts";

const move = (position: number) => ({ type: "MoveAbsolute", position }) as const;

test("a stop ends what drives the axis and what was not sent, and latches", () => {
  const scene = AxisScene.ready();
  const running = scene.runs(move(500));
  const waiting = scene.accepts(move(1));
  expect(nextStopGeneration(scene.axis)).toBe(1);
  expect(scene.stops()).toEqual(["StopLatched", "CommandStopped", "CommandStopped", "AxisStateChanged"]);
  expect(scene.typesOf(running).at(-1)).toBe("CommandStopped");
  expect(scene.typesOf(waiting)).toEqual(["MoveAccepted", "CommandStopped"]);
  expect(scene.axis).toMatchObject({ stopLatched: true, stopGeneration: 1, state: "stopping", currentCommand: null });
});

test("the state that a stop brings names no position: nothing was measured with it, and an old one would be dated anew", () => {
  const scene = AxisScene.ready();
  scene.reads({ positionCounts: 2500 });
  scene.runs(move(500));
  scene.stops();
  expect(scene.last("AxisStateChanged")).toMatchObject({ state: "stopping", position: null });
  scene.reads({ positionCounts: 31_000 });
  expect(scene.last("AxisStateChanged")).toMatchObject({ state: "standstill", position: 310 });
});

test("every stop is recorded, each under a higher generation, and ends nothing twice", () => {
  const scene = AxisScene.ready();
  scene.runs(move(500));
  scene.stops();
  expect(scene.stops()).toEqual(["StopLatched"]);
  expect(scene.axis.stopGeneration).toBe(2);
});

test("a stop leaves an Enable that is on the wire to its own report", () => {
  const scene = AxisScene.ready();
  scene.reads({ enabled: false });
  const id = scene.accepts({ type: "Enable" });
  scene.dispatches(id);
  scene.stops();
  expect(scene.axis.open.has(id)).toBe(true);
  scene.does(id);
  expect(scene.typesOf(id).at(-1)).toBe("CommandSucceeded");
});

test("a stop can be latched on an axis that is off line, and needs no reading", () => {
  const scene = new AxisScene();
  expect(scene.stops()).toEqual(["StopLatched", "AxisStateChanged"]);
  expect(scene.axis).toMatchObject({ stopLatched: true, state: "offline" });
});

const result = (stopId: string, stopGeneration: number, more: Partial<Extract<Report, { type: "stop-result" }>> = {}) =>
  ({
    type: "stop-result",
    stopId,
    axis: AXIS,
    stopGeneration,
    result: "acknowledged",
    reason: "person",
    problem: null,
    atUs: 5_000_000,
    frames: [],
    ...more,
  }) as const;

test("how a stop went is recorded once, first as pending and then as acknowledged, never back", () => {
  const scene = AxisScene.ready();
  scene.stops();
  expect(scene.hears(result("stop-1", 1, { result: "pending" }))).toEqual(["StopConfirmed"]);
  expect(scene.hears(result("stop-1", 1))).toEqual(["StopConfirmed"]);
  expect(scene.hears(result("stop-1", 1))).toEqual([]);
  expect(scene.hears(result("stop-1", 1, { result: "pending" }))).toEqual([]);
});

test("a stop that the bridge raised by itself latches the axis here too", () => {
  const scene = AxisScene.ready();
  const running = scene.runs(move(500));
  const events = scene.hears(result("own", 7, { reason: "controller-lost" }));
  expect(events).toEqual(["StopLatched", "CommandStopped", "StopConfirmed", "AxisStateChanged"]);
  expect(scene.axis).toMatchObject({ stopLatched: true, stopGeneration: 7 });
  expect(scene.typesOf(running).at(-1)).toBe("CommandStopped");
  expect(scene.last("StopLatched")).toMatchObject({ principal: "bridge", reason: "controller-lost" });
});

test("no motion is taken between a stop and its release", () => {
  const scene = AxisScene.ready();
  scene.stops();
  expect(isRefusal(scene.ask(move(1)))).toBe(true);
  scene.accepts({ type: "Reset" });
  expect(isRefusal(scene.ask(move(1)))).toBe(false);
});
