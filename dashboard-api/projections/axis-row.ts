import type { AxisConfig, AxisState, Fault } from "@servofleet/contracts";

/** A target in display units with the wall time of the fact, microseconds since 1970. */
export interface TimedTarget {
  readonly position: number;
  readonly us: number;
}

/** One axis as the log tells it. Positions in display units, times in wall microseconds. */
export interface AxisRow {
  readonly id: string;
  /** False for an axis that the newest configuration no longer has: kept for its version, not shown. */
  readonly configured: boolean;
  /** Place in the configuration, for lists. */
  readonly order: number;
  readonly link: string;
  readonly unit: number;
  readonly profile: string;
  readonly unitName: string;
  readonly countsPerUnit: number;
  readonly displayOffset: number;
  readonly pollMovingMs: number;
  readonly pollIdleMs: number;
  readonly state: AxisState;
  readonly stopLatched: boolean;
  readonly homed: boolean;
  readonly reconcileRequired: boolean;
  /** Position at the newest state change; null when none was known. */
  readonly position: TimedTarget | null;
  readonly commanded: TimedTarget | null;
  readonly sent: TimedTarget | null;
  readonly acknowledged: TimedTarget | null;
  readonly fault: (Fault & { readonly sinceUs: number }) | null;
  readonly currentCommand: string | null;
  readonly offlineReason: string | null;
  /** Motions under way and where each goes; null for one without a target. */
  readonly open: readonly { readonly commandId: string; readonly target: number | null }[];
  /** Version of the stream `axis-<id>`; 0 before its first event. */
  readonly version: number;
  readonly changedUs: number;
}

/** An axis nothing is known of yet: not seen, not homed. */
export const freshAxis = (id: string, us: number): AxisRow => ({
  id,
  configured: false,
  order: 0,
  link: "",
  unit: 0,
  profile: "",
  unitName: "",
  countsPerUnit: 1,
  displayOffset: 0,
  pollMovingMs: 20,
  pollIdleMs: 200,
  state: "offline",
  stopLatched: false,
  homed: false,
  reconcileRequired: false,
  position: null,
  commanded: null,
  sent: null,
  acknowledged: null,
  fault: null,
  currentCommand: null,
  offlineReason: "not read since the box was configured",
  open: [],
  version: 0,
  changedUs: us,
});

export const withConfig = (row: AxisRow, config: AxisConfig, order: number): AxisRow => ({
  ...row,
  configured: true,
  order,
  link: config.link,
  unit: config.unit,
  profile: config.profile,
  unitName: config.unitName,
  countsPerUnit: config.countsPerUnit,
  pollMovingMs: config.poll.movingMs,
  pollIdleMs: config.poll.idleMs,
});
