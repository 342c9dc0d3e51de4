import { type AxisCondition, type AxisStatus, displayFromCounts } from "@servofleet/contracts";
import { type Axis, scaleOf } from "../domain/axis-state.ts";

/** What a condition may look at. */
export interface AxisFacts {
  readonly state: Axis["state"];
  readonly homed: boolean;
  /** Display units; null when it is not known now. */
  readonly position: number | null;
}

/** A position as a sample showed it, drive counts. */
export interface SampledPosition {
  readonly counts: number;
  /** UTC microseconds of the reading. */
  readonly atUs: number;
}

/** The newest of what is known: of the reading and the sample the younger one. */
export function axisFacts(axis: Axis, status: AxisStatus | null, sampled?: SampledPosition): AxisFacts {
  const younger = sampled !== undefined && (status === null || sampled.atUs >= status.atUs);
  const seen = younger ? sampled.counts : (status?.positionCounts ?? null);
  const counts = axis.offlineReason === null ? seen : null;
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
