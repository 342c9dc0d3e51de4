import { type AxisCondition, type AxisStatus, displayFromCounts } from "@servofleet/contracts";
import { type Axis, scaleOf } from "../domain/axis-state.ts";

/** What a condition may look at. */
export interface AxisFacts {
  readonly state: Axis["state"];
  readonly homed: boolean;
  /** Display units; null when it is not known now. */
  readonly position: number | null;
}

/** The newest of what is known: the sample where one is given, else the reading. */
export function axisFacts(axis: Axis, status: AxisStatus | null, sampledCounts?: number): AxisFacts {
  const counts = axis.offlineReason === null ? (sampledCounts ?? status?.positionCounts ?? null) : null;
  const position = counts === null ? null : displayFromCounts(counts, scaleOf(axis));
  return { state: axis.state, homed: axis.homed, position };
}

/** Whether all that it asks is so. What is not known does not hold. */
export function holds(condition: AxisCondition, facts: AxisFacts | undefined): boolean {
  if (!facts) return false;
  const { state, homed, positionAtLeast, positionAtMost } = condition;
  const { position } = facts;
  return (
    (state === undefined || facts.state === state) &&
    (homed === undefined || facts.homed === homed) &&
    (positionAtLeast === undefined || (position !== null && position >= positionAtLeast)) &&
    (positionAtMost === undefined || (position !== null && position <= positionAtMost))
  );
}
