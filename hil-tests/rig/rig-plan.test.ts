import { expect, test } from "vitest";
import { permitsOf, planRig } from "./rig-plan.ts";
import { readScenarios } from "./scenario-file.ts";
import { benchRig, scenarioOf } from "./testing/bench-rig.ts";

const MOVE = "steps: [{ do: command, type: MoveAbsolute, position: 50% }]";

test("on simulated drives everything that the rig can do is allowed", () => {
  const { rig, axes } = benchRig();
  const plan = planRig(rig, axes, readScenarios());
  expect(plan.filter(({ verdict }) => verdict === "refused")).toEqual([]);
  for (const run of plan.filter(({ verdict }) => verdict === "skipped")) expect(run.reason).toMatch(/\w+ \w+/);
  expect(plan.filter(({ verdict }) => verdict === "run").length).toBeGreaterThan(80);
});

test("each scenario is planned once for each profile", () => {
  const { rig, axes } = benchRig();
  const plan = planRig(rig, axes, [scenarioOf(MOVE)]);
  expect(plan.map(({ profile, axes: { a } }) => [profile, a?.id])).toEqual([
    ["leadshine-icl-rs", "x1"],
    ["mitsubishi-mr-je-c", "z1"],
  ]);
});

test("on a real drive not one scenario that moves it runs without a permission, and the reason names it", () => {
  const { rig, axes } = benchRig("real");
  const plan = planRig(rig, axes, readScenarios()).filter(({ axes: { a } }) => a?.real);
  expect(plan.filter(({ verdict }) => verdict === "run").map(({ scenario }) => scenario.name)).toEqual([]);
  const [refused] = planRig(rig, axes, [scenarioOf(`start: enabled\n${MOVE}`)]);
  expect(refused?.verdict).toBe("refused");
  expect(refused?.reason).toContain("`permit: [motion]` in the rig file");
});

test("a real drive whose rig permits motion and homing moves, and only within its reach", () => {
  const { rig, axes } = benchRig("real", "permit: [motion, homing]");
  const beyond = "steps: [{ do: command, type: MoveAbsolute, position: 101% }]";
  const [within, outside] = planRig(rig, axes, [scenarioOf(MOVE, "within"), scenarioOf(beyond, "outside")]);
  expect(within?.verdict).toBe("run");
  expect(outside).toMatchObject({ verdict: "refused" });
  expect(outside?.reason).toContain("beyond its reach of 20 to 420 mm");
});

test.each([
  ["{ do: fault, kind: blocked-shaft, blocked: true }", "faults"],
  ["{ do: fault, kind: power-cycle }", "power-cycle"],
  ["{ do: process, service: bridge }", "processes"],
  ["{ do: command, type: Home }", "homing"],
  ["{ do: command, type: MoveVelocity, velocity: 10% }", "beyond-reach"],
  ["{ do: command, type: MoveRelative, distance: -120% }", "beyond-reach"],
  ["{ do: command, type: Enable }", "motion"],
  ["{ do: ready }", "homing"],
])("on a real drive %s needs the permission %s", (step, permit) => {
  const { axes } = benchRig("real");
  const scenario = scenarioOf(`start: as-is\nsteps: [${step}]`);
  const [a] = axes;
  expect(permitsOf(scenario, { a: a! }).map((asked) => asked.permit)).toContain(permit);
});

test("a stop needs no permission", () => {
  const { axes } = benchRig("real");
  const scenario = scenarioOf("start: as-is\nsteps: [{ do: stop }, { do: until, stopLatched: true }]");
  expect(permitsOf(scenario, { a: axes[0]! })).toEqual([]);
});

test("what needs a simulated drive is skipped on a real one even where faults are permitted", () => {
  const { rig, axes } = benchRig("real", "permit: [motion, homing, faults]");
  const [run] = planRig(rig, axes, [scenarioOf("needs: [simulated]\nsteps: [{ do: fault, kind: silence }]")]);
  expect(run).toMatchObject({ verdict: "skipped", axes: { a: { id: "x1" } } });
  expect(run?.reason).toContain("without a fault control");
});

test("a neighbour is looked for where the scenario wants it, best of the same profile", () => {
  const { rig, axes } = benchRig();
  const on = (neighbour: string) => scenarioOf(`neighbour: ${neighbour}\n${MOVE}`, neighbour);
  const plan = planRig(rig, axes, [on("same-link"), on("other-link"), on("any")]);
  expect(plan.map(({ axes: { a, b }, verdict }) => `${a?.id} ${b?.id ?? "-"} ${verdict}`)).toEqual([
    "x1 x2 run",
    "x1 z1 run",
    "x1 x2 run",
    "z1 - skipped",
    "z1 z2 run",
    "z1 z2 run",
  ]);
});
