import type { CommandState } from "@servofleet/contracts";
import { expect, test } from "vitest";
import { CRASH_POINTS, type RestartCase, runRestart, SITUATIONS } from "./restart-trial.ts";

/** The long form, with every victim and by seed, is `npm run trial:restarts`. */
const WITHOUT = { seed: 1, model: "leadshine-icl-rs", victim: "box", policy: { watchdogMs: null } } as const;
const WITH = { seed: 1, model: "mitsubishi-mr-je-c", victim: "box", policy: { watchdogMs: 300 } } as const;

const rows = [WITHOUT, WITH].flatMap((base) =>
  CRASH_POINTS.flatMap((point) =>
    SITUATIONS.filter((situation) => situation !== "foreign-motion").map((situation) => ({
      ...base,
      point,
      situation,
      dog: base.policy.watchdogMs === null ? "without" : "with",
    })),
  ),
);

/** The recovery table: what was only accepted expires, nothing is guessed of a silent drive, and reading decides the rest. */
function expected({ point, situation, policy }: RestartCase): CommandState {
  if (point === "MoveAccepted") return "expired";
  if (point === "CommandSucceeded") return "succeeded";
  if (situation === "silent" || situation === "back-moving") return "indeterminate";
  if (policy.watchdogMs !== null) return "failed";
  if (point === "DispatchStarted") return "indeterminate";
  return situation === "arrived" ? "succeeded" : situation === "faulted" ? "failed" : "stopped";
}

test.each(rows)("a box that dies at $point comes back to a drive $dog watchdog that is $situation", async (row) => {
  const result = await runRestart(row);
  expect(result.broken).toEqual([]);
  expect(result.state).toBe(expected(row));
});

test("motion that is nobody's wish is said aloud and stopped", async () => {
  const result = await runRestart({ ...WITHOUT, point: "CommandSucceeded", situation: "foreign-motion" });
  expect(result).toMatchObject({ broken: [], unexpected: true, moving: false, state: "succeeded" });
  expect(result.writes).toContain("stop");
});

test.each(["controller", "bridge"] as const)("a %s that dies in mid-move leaves its axis at rest", async (victim) => {
  const result = await runRestart({ ...WITHOUT, victim, point: "MotionStarted", situation: "running-on" });
  expect(result).toMatchObject({ broken: [], moving: false, state: "stopped" });
});

test("a motion that may be observed goes on without a write, and a person is asked", async () => {
  const policy = { watchdogMs: null, onRestartMoving: "observe" } as const;
  const result = await runRestart({ ...WITHOUT, policy, point: "MotionStarted", situation: "running-on" });
  expect(result).toMatchObject({ broken: [], moving: true, writes: [], reconcileRequired: true, state: undefined });
});

test("a controller that sends again what it had sent is found out", async () => {
  const point = "MotionStarted";
  const { broken } = await runRestart({ ...WITHOUT, point, situation: "arrived", sendsAgain: true });
  expect(broken.join("; ")).toContain("after the restart");
});
