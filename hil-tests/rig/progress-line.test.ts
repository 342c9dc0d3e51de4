import { FakeClock } from "@servofleet/runtime/fake-clock";
import { expect, test } from "vitest";
import { progressLine } from "./progress-line.ts";
import { benchRig, resultOf, runOn, scenarioOf } from "./testing/bench-rig.ts";

const run = runOn(scenarioOf("steps: [{ do: stop }]", "reaches-its-target"), benchRig().axes[0]!);

function told(terminal: boolean, columns = 120) {
  const parts: string[] = [];
  const clock = new FakeClock();
  const line = progressLine({ terminal, columns, write: (more) => void parts.push(more) }, clock);
  return { line, clock, text: () => parts.join("") };
}

test("a file gets a plain line per result and no control codes", () => {
  const { line, text } = told(false);
  line.planned([run, { ...run, verdict: "skipped", reason: "no homing" }]);
  line.started(run);
  line.ended(resultOf());
  line.ended(resultOf({ outcome: "failed", scenario: "stops", reason: "too late\nmore" }));
  line.end();
  expect(text().split("\n")).toEqual([
    "1 scenarios to run, 1 that this rig cannot or may not run",
    "passed  x1: reaches-its-target 2.0 s",
    "FAILED  x1: stops 2.0 s",
    "        too late",
    "",
  ]);
});

test("a terminal gets one line that is written over and never wider than it", () => {
  const { line, clock, text } = told(true, 40);
  line.planned([run]);
  line.started(run);
  clock.advance(1000);
  expect(text()).toContain("0/1");
  line.ended(resultOf());
  clock.advance(1000);
  expect(text()).toContain("1/1");
  const drawn = text().split("\r\u001b[K");
  for (const part of drawn) expect(part.split("\n")[0]?.length).toBeLessThan(60);
  line.end();
  const after = text().length;
  clock.advance(5000);
  expect(text().length).toBe(after);
});
