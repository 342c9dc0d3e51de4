import type { CommandView } from "@servofleet/contracts";

/** How a step came out. Times are UTC microseconds. */
export interface StepResult {
  readonly words: string;
  readonly outcome: "passed" | "failed" | "not-run";
  readonly fromUs: number;
  readonly toUs: number;
  /** Why it failed; empty otherwise. */
  readonly detail: string;
}

/** One stored sample of an axis, display units; null where the drive's plan did not read it. */
export interface CurvePoint {
  readonly atUs: number;
  readonly position: number;
  readonly velocity: number | null;
  readonly followingError: number | null;
}

/** What one axis did in a scenario. */
export interface Curve {
  readonly axis: string;
  readonly unitName: string;
  readonly points: readonly CurvePoint[];
  /** Targets as decided, from the accepted commands. */
  readonly targets: readonly { readonly fromUs: number; readonly toUs: number; readonly position: number }[];
}

export type Outcome = "passed" | "failed" | "skipped" | "refused";

/** One scenario on its axes. */
export interface ScenarioResult {
  readonly scenario: string;
  readonly title: string;
  readonly why: string;
  readonly profile: string;
  readonly axes: readonly string[];
  readonly drives: "simulated" | "real";
  readonly outcome: Outcome;
  /** Why it failed, was skipped or was refused. */
  readonly reason: string;
  readonly fromUs: number;
  readonly toUs: number;
  readonly steps: readonly StepResult[];
  readonly commands: readonly CommandView[];
  readonly curves: readonly Curve[];
}

/** Everything that a report shows. */
export interface RigReport {
  readonly rig: string;
  readonly title: string;
  readonly gateway: string;
  readonly fromUs: number;
  readonly toUs: number;
  readonly permit: readonly string[];
  readonly machine: Readonly<Record<string, string | number>>;
  readonly versions: Readonly<Record<string, string>>;
  readonly links: readonly {
    readonly id: string;
    readonly kind: string;
    readonly drives: string;
    readonly place: string;
  }[];
  readonly axes: readonly {
    readonly id: string;
    readonly link: string;
    readonly unit: number;
    readonly profile: string;
  }[];
  readonly results: readonly ScenarioResult[];
  /** True when somebody pressed Ctrl-C. */
  readonly interrupted: boolean;
}

/** How many came out how. */
export function tally(results: readonly ScenarioResult[]): Readonly<Record<Outcome, number>> {
  const count = { passed: 0, failed: 0, skipped: 0, refused: 0 };
  for (const { outcome } of results) count[outcome] += 1;
  return count;
}

/** Seconds between two moments, for a person. */
export const secondsBetween = (fromUs: number, toUs: number): number => Math.max(0, toUs - fromUs) / 1e6;
