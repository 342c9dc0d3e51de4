import type { BenchAxis } from "./abilities.ts";
import { type Amount, lengthIn, placeIn } from "./amount.ts";
import type { Permit, Rig } from "./rig-file.ts";
import { type CommandStep, type Role, rolesOf, type Scenario, type Step } from "./scenario.ts";

/** A scenario on its axes, or why it does not run there. Nothing has moved when this is known. */
export interface PlannedRun {
  readonly scenario: Scenario;
  readonly profile: string;
  readonly axes: Readonly<Partial<Record<Role, BenchAxis>>>;
  readonly verdict: "run" | "skipped" | "refused";
  /** Empty for `run`. */
  readonly reason: string;
}

/** Every scenario on the first fitting axis of every profile of the rig. */
export function planRig(rig: Rig, axes: readonly BenchAxis[], scenarios: readonly Scenario[]): readonly PlannedRun[] {
  const profiles = [...new Set(axes.map(({ profile }) => profile))];
  return profiles.flatMap((profile) => scenarios.map((scenario) => planRun(rig, axes, profile, scenario)));
}

function planRun(rig: Rig, axes: readonly BenchAxis[], profile: string, scenario: Scenario): PlannedRun {
  const own = axes.filter((axis) => axis.profile === profile);
  const tries = own.map((a) => tryOn(rig, axes, a, profile, scenario));
  const rank = { run: 0, refused: 1, skipped: 2 } as const;
  const [best] = [...tries].sort((one, other) => rank[one.verdict] - rank[other.verdict]);
  return best ?? { scenario, profile, axes: {}, verdict: "skipped", reason: "the rig has no such axis" };
}

function tryOn(rig: Rig, axes: readonly BenchAxis[], a: BenchAxis, profile: string, scenario: Scenario): PlannedRun {
  const no = (reason: string): PlannedRun => ({ scenario, profile, axes: { a }, verdict: "skipped", reason });
  if (scenario.profiles.length > 0 && !scenario.profiles.includes(profile))
    return no(`it is about ${scenario.profiles.join(", ")}`);
  const missing = scenario.needs.flatMap((need) => a.lacks.get(need) ?? []);
  if (missing.length > 0) return no(`${a.id}: ${missing.join("; ")}`);
  const b = scenario.neighbour === "none" ? undefined : neighbourOf(axes, a, scenario);
  if (scenario.neighbour !== "none" && !b) return no(`${a.id} has no neighbour for it (${scenario.neighbour})`);
  const run = { scenario, profile, axes: { a, ...(b ? { b } : {}) } };
  const missingPermits = permitsOf(scenario, run.axes).filter(({ permit }) => !rig.permit.includes(permit));
  if (missingPermits.length === 0) return { ...run, verdict: "run", reason: "" };
  const reason = missingPermits.map(({ permit, why }) => `${why} needs \`permit: [${permit}]\` in the rig file`);
  return { ...run, verdict: "refused", reason: reason.join("; ") };
}

function neighbourOf(axes: readonly BenchAxis[], a: BenchAxis, { neighbour, needs }: Scenario): BenchAxis | undefined {
  const others = axes.filter((axis) => axis.id !== a.id);
  const inGroup = (axis: BenchAxis) => !needs.includes("group") || axis.group === a.group;
  const placed = (axis: BenchAxis) => neighbour === "any" || (neighbour === "same-link") === (axis.link === a.link);
  const fitting = others.filter((axis) => inGroup(axis) && placed(axis));
  return fitting.find((axis) => axis.profile === a.profile) ?? fitting[0];
}

interface Asked {
  readonly permit: Permit;
  readonly why: string;
}

/** What a scenario does to real drives that somebody has to allow by name; each permission once, with its first reason. */
export function permitsOf(scenario: Scenario, axes: Readonly<Partial<Record<Role, BenchAxis>>>): readonly Asked[] {
  const real = rolesOf(scenario)
    .flatMap((role) => axes[role] ?? [])
    .filter((axis) => axis.real);
  if (real.length === 0) return [];
  const names = real.map(({ id }) => id).join(" and ");
  const asked: Asked[] = [];
  if (scenario.start === "enabled" || scenario.start === "ready")
    asked.push({ permit: "motion", why: `switching ${names} on` });
  if (scenario.start === "ready" && real.some((axis) => axis.homingRequired))
    asked.push({ permit: "homing", why: `homing ${names} first` });
  for (const [n, step] of scenario.steps.entries())
    for (const entry of stepPermits(step, axes)) asked.push({ ...entry, why: `step ${n + 1} (${entry.why})` });
  return asked.filter(({ permit }, n) => asked.findIndex((other) => other.permit === permit) === n);
}

function stepPermits(step: Step, axes: Readonly<Partial<Record<Role, BenchAxis>>>): readonly Asked[] {
  if (step.do === "process") return [{ permit: "processes", why: `${step.signal} to the ${step.service}` }];
  if (!("axis" in step) || !axes[step.axis]?.real) return [];
  const { id } = axes[step.axis] as BenchAxis;
  if (step.do === "fault")
    return step.kind === "power-cycle"
      ? [{ permit: "power-cycle", why: `power of ${id} off and on` }]
      : [{ permit: "faults", why: `${step.kind} on ${id}` }];
  if (step.do === "ready") return [{ permit: "homing", why: `homing ${id}` }];
  return step.do === "command" ? commandPermits(step, axes[step.axis] as BenchAxis) : [];
}

function commandPermits(step: CommandStep, axis: BenchAxis): readonly Asked[] {
  const motion: Asked = { permit: "motion", why: `${step.type} on ${axis.id}` };
  const beyond: Asked = {
    permit: "beyond-reach",
    why: `${step.type} on ${axis.id} beyond its reach of ${axis.reach.min} to ${axis.reach.max} ${axis.unitName}`,
  };
  switch (step.type) {
    case "Enable":
      return [motion];
    case "Home":
      return [motion, { permit: "homing", why: `Home on ${axis.id}` }];
    case "MoveVelocity":
      return [motion, beyond];
    case "MoveAbsolute":
      return isWithin(axis, step.position) ? [motion] : [motion, beyond];
    case "MoveRelative":
      return isShort(axis, step.distance) ? [motion] : [motion, beyond];
    default:
      return [];
  }
}

/** A move that the product is expected to refuse counts as if it were not: that it refuses is what is to be shown. */
function isWithin({ reach }: BenchAxis, position: Amount | undefined): boolean {
  if (position === undefined) return true;
  const place = placeIn(reach, position);
  return place >= reach.min && place <= reach.max;
}

/** Where a relative move starts is known when it runs; longer than the reach it cannot stay inside from anywhere. */
function isShort({ reach }: BenchAxis, distance: Amount | undefined): boolean {
  return distance === undefined || Math.abs(lengthIn(reach, distance)) <= reach.max - reach.min;
}
