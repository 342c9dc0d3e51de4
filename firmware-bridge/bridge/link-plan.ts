import type { AxisConfig, AxisId, FleetConfig, LinkConfig } from "@servofleet/contracts";
import { type LineCost, lineCost, type PollPlan, replyMicros, requestMicros } from "../link/bus-cost.ts";
import { JOINED_SHARE, type Together } from "../link/join-jobs.ts";
import type { ModbusRequest, UnitPart } from "../link/link.ts";
import { READ_REGISTERS_MAX } from "../modbus/expected-reply.ts";
import type { DriveProfile } from "../profile/drive-profile.ts";

/** Longest write of a handshake, registers: a whole path or motion block. */
const WRITE_REGISTERS = 16;

/** What a link must know of its drives: whom to expect, the polls that repeat for ever, and what a stop can wait behind. */
export interface LinkPlan {
  readonly units: readonly { readonly unit: number; readonly axis: AxisId }[];
  readonly polls: readonly (PollPlan & { readonly unit: number })[];
  /** The longest requests that can be under way when a stop comes. */
  readonly inFlight: readonly ModbusRequest[];
  /** The longest stop of the line's drives. */
  readonly stop: ModbusRequest;
  /** Units that can be asked together; empty but on a servo bus. */
  readonly together: Together;
}

/** Instructions of a servo bus that a profile names (Dynamixel Protocol 2.0 and SCS alike). */
const SYNC_READ = 0x82;
const SYNC_WRITE = 0x83;
const BULK_READ = 0x92;

/**
 * The plan of one link: what it owes while its axes stand, or (`moving`) while all of them move, which it serves as far
 * as there is room. Pure.
 */
export function linkPlan(
  link: LinkConfig,
  config: FleetConfig,
  profileOf: (axis: AxisConfig) => DriveProfile,
  pace: "idleMs" | "movingMs" = "idleMs",
): LinkPlan {
  const axes = config.axes.filter((axis) => axis.link === link.id);
  const profiles = axes.map((axis) => profileOf(axis));
  const polls = axes.flatMap((axis) => pollsOf(profileOf(axis), axis.unit, axis.poll[pace]));
  const together = togetherOf(axes.map((axis) => ({ unit: axis.unit, profile: profileOf(axis) })));
  const short = profiles.every(({ data }) => data.functions.includes(6));
  return {
    units: axes.map((axis) => ({ unit: axis.unit, axis: axis.id })),
    polls,
    inFlight: [...profiles.flatMap(longestOf), ...longestJoined(polls, together, lineCost(link))],
    together,
    stop: short ? { fn: "write", address: 0, value: 0 } : { fn: "write-many", address: 0, values: [0, 0] },
  };
}

function togetherOf(units: readonly { readonly unit: number; readonly profile: DriveProfile }[]): Together {
  const having = (instruction: number) =>
    units.filter(({ profile }) => names(profile, instruction)).map(({ unit }) => unit);
  return { syncRead: having(SYNC_READ), bulkRead: having(BULK_READ), syncWrite: having(SYNC_WRITE) };
}

const names = ({ data }: DriveProfile, instruction: number): boolean =>
  data.telegram === "bytes" && data.functions.includes(instruction);

/** Whether drives of the profile can be started by one frame with others of their line. */
export const startsTogether = (profile: DriveProfile): boolean => names(profile, SYNC_WRITE);

/** No read of several units that a stop can come behind takes longer than this one: it is the first beyond the limit. */
function longestJoined(polls: LinkPlan["polls"], { syncRead }: Together, cost: LineCost): ModbusRequest[] {
  const longest = new Map<number, UnitPart>();
  for (const { unit, request } of polls) {
    if (request.fn !== "read" || !syncRead.includes(unit)) continue;
    if (request.quantity > (longest.get(unit)?.quantity ?? 0))
      longest.set(unit, { unit, address: request.address, quantity: request.quantity });
  }
  const all = [...longest.values()];
  for (let count = 2; count <= all.length; count++) {
    const parts = all.slice(0, count);
    const quantity = parts.reduce((sum, part) => sum + part.quantity, 0);
    const request: ModbusRequest = { fn: "read", address: 0, quantity, parts };
    const micros = requestMicros(request, cost) + replyMicros(request, cost);
    if (count === all.length || micros > JOINED_SHARE * cost.replyWaitMaxUs) return [request];
  }
  return [];
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

function longestOf(profile: DriveProfile): ModbusRequest[] {
  const { plan, registersMax, quirks } = profile.data;
  const blocks = [...plan.status, ...plan.order, ...plan.rotating, ...plan.fault];
  const reads = blocks.map((names) => padded(profile.read(...names)));
  const write: ModbusRequest = {
    fn: "write-many",
    address: 0,
    values: Array<number>(Math.min(registersMax, WRITE_REGISTERS)).fill(0),
  };
  const rows = Object.entries(profile.data.parameters).flatMap(([parameter, { register, count }]) =>
    count !== undefined && profile.has(register) ? rowRequests(profile, profile.row(parameter)) : [],
  );
  const merged: ModbusRequest[] = quirks.readsAcrossHoles ? [{ fn: "read", address: 0, quantity: registersMax }] : [];
  return [...reads, write, ...rows, ...merged];
}

/** A row of values is compared, written and read back in one piece each. */
function rowRequests(profile: DriveProfile, registers: readonly string[]): ModbusRequest[] {
  const write = profile.write(registers.map((register) => [register, 0]));
  return [padded(profile.read(...registers)), ...(write ? [write] : [])];
}

/** After a time-out a read asks for one register more, so that no late answer fits. */
const padded = (request: ModbusRequest): ModbusRequest =>
  request.fn === "read" && !request.object
    ? { ...request, quantity: Math.min(READ_REGISTERS_MAX, request.quantity + 1) }
    : request;
