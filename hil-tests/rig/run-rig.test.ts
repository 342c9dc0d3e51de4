import { systemClock, systemRandom } from "@servofleet/runtime/system-clock";
import { expect, test } from "vitest";
import { RigError } from "./rig-error.ts";
import type { ScenarioResult } from "./rig-result.ts";
import { runRig } from "./run-rig.ts";
import { benchRig, scenarioOf } from "./testing/bench-rig.ts";

const MOVE = scenarioOf("steps: [{ do: command, type: MoveAbsolute, position: 50% }]");

function parts() {
  const phases: string[] = [];
  const started: string[] = [];
  const ended: ScenarioResult[] = [];
  const progress = {
    planned: () => undefined,
    started: () => void started.push("a scenario"),
    ended: (result: ScenarioResult) => void ended.push(result),
    phase: (words: string) => void phases.push(words),
  };
  const clock = systemClock();
  return {
    phases,
    started,
    ended,
    parts: { clock, random: systemRandom(), progress, signal: new AbortController().signal },
  };
}

test("a rig with a missing device says which, and starts nothing", async () => {
  const { rig } = benchRig("real", "permit: [motion, homing]");
  const { parts: given, started } = parts();
  const error = await runRig(rig, [MOVE], given).catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(RigError);
  expect(error).toMatchObject({ code: "missing-device" });
  expect((error as RigError).message).toContain("line_a: /dev/not-there is not there");
  expect((error as RigError).hint).toContain("nothing moved");
  expect(started).toEqual([]);
});

test("where nothing is permitted nothing starts, and the report says why", async () => {
  const { rig } = benchRig("real");
  const { parts: given, phases, started } = parts();
  const only = scenarioOf("profiles: [leadshine-icl-rs]\nsteps: [{ do: command, type: MoveAbsolute, position: 50% }]");
  const { results } = await runRig(rig, [only], given);
  expect(phases).toEqual([]);
  expect(started).toEqual([]);
  expect(results.map(({ outcome }) => outcome)).toEqual(["refused", "skipped"]);
});
