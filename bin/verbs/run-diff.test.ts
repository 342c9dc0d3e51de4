import type { RunStepView, RunView } from "@servofleet/contracts";
import { expect, test } from "vitest";
import { diffTable, runDiff } from "./run-diff.ts";

const step = (name: string, endedAt: string | null, more: Partial<RunStepView> = {}): RunStepView => ({
  step: name,
  kind: "command",
  state: "succeeded",
  axis: "x1",
  commandId: `${name}-command`,
  startedAt: "2026-11-21T10:15:00.000000Z",
  endedAt,
  problem: null,
  compensation: { kind: "none", state: "planned", commandId: null, detail: null },
  ...more,
});
const run = (runId: string, state: RunView["state"], steps: readonly RunStepView[]): RunView => ({
  runId,
  program: "pick",
  version: 1,
  state,
  axes: ["x1"],
  principal: "local",
  trigger: null,
  startedAt: "2026-11-21T10:15:00.000000Z",
  endedAt: "2026-11-21T10:15:09.000000Z",
  reason: null,
  problem: null,
  steps,
  transitions: [],
});

test("two runs stand side by side: what took longer, what ended otherwise, what was never reached", () => {
  const a = run("a", "completed", [
    step("down", "2026-11-21T10:15:01.000000Z"),
    step("up", "2026-11-21T10:15:02.000000Z"),
  ]);
  const b = run("b", "failed", [step("down", "2026-11-21T10:15:01.250000Z", { state: "failed", commandId: "other" })]);
  const steps = runDiff(a, b, new Map([["other", { finalError: -0.4 }]]));
  expect(steps).toEqual([
    {
      step: "down",
      a: { state: "succeeded", tookMs: 1000, finalError: null },
      b: { state: "failed", tookMs: 1250, finalError: -0.4 },
      longerMs: 250,
      same: false,
    },
    { step: "up", a: { state: "succeeded", tookMs: 2000, finalError: null }, b: null, longerMs: null, same: false },
  ]);
  const text = diffTable(a, b, steps);
  expect(text).toContain("250 ms");
  expect(text).toContain("not reached");
});
