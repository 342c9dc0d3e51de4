import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type BenchAxis, benchAxes } from "../abilities.ts";
import { parseRig, type Rig } from "../rig-file.ts";
import type { PlannedRun } from "../rig-plan.ts";
import type { RigReport, ScenarioResult } from "../rig-result.ts";
import type { Scenario } from "../scenario.ts";
import { parseScenario } from "../scenario-file.ts";

const TWO = readFileSync(join(import.meta.dirname, "..", "rigs", "two-families.yaml"), "utf8");

/** The rig of two families, simulated; or with its serial line real, at a port that is not there. */
export function benchRig(
  serial: "simulated" | "real" = "simulated",
  more = "",
): { rig: Rig; axes: readonly BenchAxis[] } {
  const real = "drives: real, port: /dev/not-there, kind: modbus-rtu,";
  const text = serial === "real" ? TWO.replace("drives: simulated, kind: modbus-rtu,", real) : TWO;
  const rig = parseRig(`${text}\n${more}`, join(import.meta.dirname, "..", "rigs", "two-families.yaml"));
  return { rig, axes: benchAxes(rig) };
}

/** A scenario from YAML lines below its title. */
export function scenarioOf(lines: string, name = "one"): Scenario {
  const { scenario, complaints } = parseScenario(`title: ${name}\n${lines}`, `${name}.yaml`);
  if (complaints.length > 0) throw new TypeError(JSON.stringify(complaints));
  return scenario;
}

/** A planned run on the given axes. */
export const runOn = (scenario: Scenario, a: BenchAxis, b?: BenchAxis): PlannedRun => ({
  scenario,
  profile: a.profile,
  axes: { a, ...(b ? { b } : {}) },
  verdict: "run",
  reason: "",
});

const START_US = 1_800_000_000_000_000;

/** A result with everything in it that a report may show, changed by `more`. */
export function resultOf(more: Partial<ScenarioResult> = {}): ScenarioResult {
  const at = (ms: number) => START_US + ms * 1000;
  const step = (words: string, from: number, to: number) =>
    ({ words, outcome: "passed", fromUs: at(from), toUs: at(to), detail: "" }) as const;
  return {
    scenario: "reaches-its-target",
    title: "A move ends at its target",
    why: "-",
    profile: "leadshine-icl-rs",
    axes: ["x1"],
    drives: "simulated",
    outcome: "passed",
    reason: "",
    fromUs: at(0),
    toUs: at(2000),
    steps: [step("made ready", 0, 300), step("a: MoveAbsolute", 300, 310), step("until move: succeeded", 310, 2000)],
    commands: [],
    curves: [
      {
        axis: "x1",
        unitName: "mm",
        points: [0, 400, 800, 1200, 2000].map((ms) => ({
          atUs: at(ms),
          position: ms / 10,
          velocity: 100,
          followingError: ms % 800 === 0 ? 0.1 : null,
        })),
        targets: [{ fromUs: at(300), toUs: at(2000), position: 200 }],
      },
    ],
    ...more,
  };
}

/** A report of such results. */
export const reportOf = (results: readonly ScenarioResult[]): RigReport => ({
  rig: "bench",
  title: "Bench <one>",
  gateway: "started by the rig",
  fromUs: START_US,
  toUs: START_US + 9_000_000,
  permit: [],
  machine: { host: "h", cores: 2 },
  versions: { servofleet: "0.1.0" },
  links: [{ id: "line_a", kind: "modbus-rtu", drives: "simulated", place: "simulated" }],
  axes: [{ id: "x1", link: "line_a", unit: 1, profile: "leadshine-icl-rs" }],
  results,
  interrupted: false,
});
