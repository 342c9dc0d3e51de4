import type { AxisAbilities, EventData } from "@servofleet/contracts";
import type { Axis } from "./axis-state.ts";
import { cut } from "./refusal.ts";
import { type Change, NO_CHANGE, type ReportOf } from "./report-change.ts";

/** What the profile of the drive can do, recorded when it has changed. */
export function abilitiesReport(report: ReportOf<"bridge-ready">, axis: Axis): Change {
  const found = report.axes.find((abilities) => abilities.axis === axis.id);
  if (!found) return NO_CHANGE;
  const data = recordedForm(found);
  if (axis.abilities && sameAbilities(data, recordedForm(axis.abilities))) return NO_CHANGE;
  return { events: [{ event: { type: "AxisAbilitiesSeen", data } }], seen: {} };
}

const recordedForm = (abilities: AxisAbilities): EventData<"AxisAbilitiesSeen"> => ({
  profile: abilities.profile,
  commands: [...abilities.commands],
  parameters: [...abilities.parameters],
  commLossSupported: abilities.commLoss.supported,
  commLossReaction: cut(abilities.commLoss.reaction),
  positionWindowCounts: abilities.positionWindowCounts,
});

/** Both forms are written by `recordedForm`, so their keys stand in the same order. */
const sameAbilities = (a: EventData<"AxisAbilitiesSeen">, b: EventData<"AxisAbilitiesSeen">): boolean =>
  JSON.stringify(a) === JSON.stringify(b);
