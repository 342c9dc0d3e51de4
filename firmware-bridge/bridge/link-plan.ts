import type { AxisConfig, AxisId, FleetConfig, LinkConfig } from "@servofleet/contracts";
import type { ModbusRequest } from "../link/link.ts";
import type { DriveProfile } from "../profile/drive-profile.ts";

/** What a link must know of its drives: whom to expect, and the polls that repeat for ever. */
export interface LinkPlan {
  readonly units: readonly { readonly unit: number; readonly axis: AxisId }[];
  readonly polls: readonly { readonly unit: number; readonly request: ModbusRequest; readonly periodMs: number }[];
}

/** The plan of one link while its axes stand: what the line owes all the time. Moving axes are read as often as there is room. Pure. */
export function linkPlan(
  link: LinkConfig,
  config: FleetConfig,
  profileOf: (axis: AxisConfig) => DriveProfile,
): LinkPlan {
  const axes = config.axes.filter((axis) => axis.link === link.id);
  return {
    units: axes.map((axis) => ({ unit: axis.unit, axis: axis.id })),
    polls: axes.flatMap((axis) => pollsOf(profileOf(axis), axis.unit, axis.poll.idleMs)),
  };
}

function pollsOf(profile: DriveProfile, unit: number, periodMs: number): LinkPlan["polls"] {
  const { status, rotating } = profile.data.plan;
  const each = status.map((names) => ({ unit, request: profile.read(...names), periodMs }));
  const turns = rotating.map((names) => ({
    unit,
    request: profile.read(...names),
    periodMs: periodMs * rotating.length,
  }));
  return [...each, ...turns];
}
