import fc from "fast-check";
import { expect, test } from "vitest";
import type { BenchAxis } from "./abilities.ts";
import { lanesOf } from "./rig-lanes.ts";
import { benchRig, runOn, scenarioOf } from "./testing/bench-rig.ts";

const calm = scenarioOf("steps: [{ do: stop }]");
const alone = scenarioOf("steps: [{ do: stop, what: all }]", "alone");
const { axes } = benchRig();
const pick = fc.constantFrom(...axes);
const run = fc
  .tuple(fc.boolean(), pick, fc.option(pick, { nil: undefined }))
  .map(([exclusive, a, b]) => runOn(exclusive ? alone : calm, a, b));

test("every run is in exactly one place, and no two lanes share a link", () => {
  fc.assert(
    fc.property(fc.array(run, { maxLength: 20 }), (runs) => {
      const { lanes, alone: apart } = lanesOf(runs);
      expect([...lanes.flat(), ...apart]).toHaveLength(runs.length);
      expect(new Set([...lanes.flat(), ...apart])).toEqual(new Set(runs));
      expect(apart.every(({ scenario }) => scenario === alone)).toBe(true);
      const links = lanes.map(
        (lane) => new Set(lane.flatMap(({ axes: used }) => Object.values(used).map(({ link }) => link))),
      );
      const all = links.flatMap((set) => [...set]);
      expect(new Set(all).size).toBe(all.length);
    }),
  );
});

test("where a real drive takes part everything runs one after the other", () => {
  const real: BenchAxis = { ...axes[0]!, real: true };
  const runs = [runOn(calm, axes[2]!), runOn(calm, real), runOn(calm, axes[3]!)];
  expect(lanesOf(runs)).toEqual({ lanes: [], alone: runs });
});
