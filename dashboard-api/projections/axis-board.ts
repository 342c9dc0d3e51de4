import {
  type CommandType,
  displayFromCounts,
  MOTION_COMMANDS,
  parseRfc3339,
  streamSubject,
  type TypedEvent,
} from "@servofleet/contracts";
import type { Change, Projection, Rows } from "../read-model/projection.ts";
import { type AxisRow, freshAxis, type TimedTarget, withConfig } from "./axis-row.ts";

/** Motions under way per axis; a new one aborts the running one, so more than two never last. */
const OPEN_MOTIONS_MAX = 8;

const isMotion = (type: CommandType) => MOTION_COMMANDS.has(type);
const targetOf = (row: AxisRow, commandId: string | null) => row.open.find((o) => o.commandId === commandId);
const timed = (position: number | null, us: number): TimedTarget | null =>
  position === null ? null : { position, us };
const shifted = (target: TimedTarget | null, by: number) => target && { ...target, position: target.position + by };

function motionAccepted(row: AxisRow, commandId: string | null, target: number | null, us: number): AxisRow {
  if (commandId === null) return row;
  const open = [...row.open, { commandId, target }].slice(-OPEN_MOTIONS_MAX);
  return { ...row, commanded: timed(target, us), open };
}

function acknowledged(row: AxisRow, event: TypedEvent & { type: "DispatchAcknowledged" }): AxisRow {
  const motion = targetOf(row, event.commandId);
  if (!motion) return row;
  const { targetCounts } = event.data;
  const position = targetCounts === null ? motion.target : displayFromCounts(targetCounts, row);
  return { ...row, acknowledged: timed(position, event.wallUs) };
}

const ended = (row: AxisRow, commandId: string | null): AxisRow =>
  targetOf(row, commandId) ? { ...row, open: row.open.filter((o) => o.commandId !== commandId) } : row;

/** SetPosition moves the display only: what is shown of the past moves with it. */
function offsetSet(row: AxisRow, displayOffset: number): AxisRow {
  const by = displayOffset - row.displayOffset;
  return {
    ...row,
    displayOffset,
    position: shifted(row.position, by),
    commanded: shifted(row.commanded, by),
    sent: shifted(row.sent, by),
    acknowledged: shifted(row.acknowledged, by),
    open: row.open.map((o) => ({ ...o, target: o.target === null ? null : o.target + by })),
  };
}

function stateChanged(row: AxisRow, event: TypedEvent & { type: "AxisStateChanged" }): AxisRow {
  const { state, stopLatched, homed, reconcileRequired, currentCommand, position } = event.data;
  const online = state !== "offline";
  return {
    ...row,
    state,
    stopLatched,
    homed,
    reconcileRequired,
    currentCommand,
    position: timed(position, event.wallUs) ?? row.position,
    offlineReason: online ? null : row.offlineReason,
  };
}

/** What one event of the axis's own stream changes. Events without a case here only raise the version. */
function evolve(row: AxisRow, event: TypedEvent): AxisRow {
  switch (event.type) {
    case "MoveAccepted":
    case "VelocityMoveAccepted":
    case "HomeAccepted":
      return isMotion(event.data.commandType)
        ? motionAccepted(row, event.commandId, event.data.target, event.wallUs)
        : row;
    case "CommandSent": {
      const motion = targetOf(row, event.commandId);
      return motion ? { ...row, sent: timed(motion.target, parseRfc3339(event.data.at) ?? event.wallUs) } : row;
    }
    case "DispatchAcknowledged":
      return acknowledged(row, event);
    case "CommandSucceeded":
    case "CommandFailed":
    case "CommandExpired":
    case "CommandCancelled":
    case "CommandSuperseded":
    case "CommandStopped":
    case "CommandIndeterminate":
      return ended(row, event.commandId);
    case "AxisStateChanged":
      return stateChanged(row, event);
    case "StopLatched":
      return { ...row, stopLatched: true };
    case "LatchReleased":
      return { ...row, stopLatched: false };
    case "FaultRaised":
      return { ...row, fault: { ...event.data.fault, sinceUs: event.wallUs } };
    case "FaultCleared":
      return { ...row, fault: null };
    case "AxisWentOffline":
      return { ...row, state: "offline", offlineReason: event.data.reason };
    case "DisplayOffsetSet":
      return offsetSet(row, event.data.displayOffset);
    case "ReconcileRequired":
      return { ...row, reconcileRequired: true };
    case "AxisReconciled":
      return { ...row, reconcileRequired: false };
    default:
      return row;
  }
}

function configured(rows: Rows<AxisRow>, event: TypedEvent & { type: "FleetConfigured" }): Change<AxisRow>[] {
  const { axes } = event.data.config;
  const named = new Set<string>(axes.map((axis) => axis.id));
  const gone = [...rows.open()].filter((row) => row.configured && !named.has(row.id));
  return [
    ...axes.map(
      (axis, order): Change<AxisRow> => [
        axis.id,
        withConfig(rows.get(axis.id) ?? freshAxis(axis.id, event.wallUs), axis, order),
      ],
    ),
    ...gone.map((row): Change<AxisRow> => [row.id, { ...row, configured: false }]),
  ];
}

/** The fleet board: newest state of every axis, behind `GET /v1/axes`. */
export const axisBoard: Projection<AxisRow> = {
  name: "axes",
  version: 1,
  residentMax: Number.POSITIVE_INFINITY,
  rank: (row) => row.order,
  settled: () => false,
  refersTo: () => null,
  project(rows, event) {
    if (event.type === "FleetConfigured") return configured(rows, event);
    if (!event.stream.startsWith("axis-")) return [];
    const id = streamSubject(event.stream);
    const row = evolve(rows.get(id) ?? freshAxis(id, event.wallUs), event);
    return [[id, { ...row, version: event.version, changedUs: event.wallUs }]];
  },
};
