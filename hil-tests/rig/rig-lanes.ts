import type { PlannedRun } from "./rig-plan.ts";
import { isExclusive } from "./scenario.ts";

/** Runs that may go side by side, one list per lane, and those that must have the rig for themselves. */
export interface Lanes {
  readonly lanes: readonly (readonly PlannedRun[])[];
  readonly alone: readonly PlannedRun[];
}

/**
 * Scenarios of different links run side by side on simulated drives. As soon as one real drive moves, everything runs one
 * after the other: a person who watches a machine can watch one axis.
 */
export function lanesOf(runs: readonly PlannedRun[]): Lanes {
  const real = runs.some(({ axes }) => Object.values(axes).some((axis) => axis.real));
  if (real) return { lanes: [], alone: runs };
  const alone = runs.filter(({ scenario }) => isExclusive(scenario));
  const rest = runs.filter(({ scenario }) => !isExclusive(scenario));
  const lanes: { links: Set<string>; runs: PlannedRun[] }[] = [];
  for (const run of rest) {
    const links = Object.values(run.axes).map(({ link }) => link);
    // A run over two links joins their lanes: nothing else may run on either while it does.
    const met = lanes.filter((lane) => links.some((link) => lane.links.has(link)));
    const joined = {
      links: new Set([...links, ...met.flatMap((lane) => [...lane.links])]),
      runs: [...met.flatMap((lane) => lane.runs), run],
    };
    for (const lane of met) lanes.splice(lanes.indexOf(lane), 1);
    lanes.push(joined);
  }
  return { lanes: lanes.map((lane) => lane.runs), alone };
}
