import {
  type CommandId,
  type CommandRequest,
  countsFromDisplay,
  type DomainEvent,
  type EventData,
  type EventType,
  MOTION_COMMANDS,
  type RecordedEvent,
  type RUN_EVENT_SCHEMAS,
  typed,
} from "@servofleet/contracts";
import { assert } from "@servofleet/runtime/assert";
import {
  type Axis,
  isDispatched,
  isDriving,
  type OpenCommand,
  STOP_RECORDS_MAX,
  type StopRecord,
  scaleOf,
} from "./axis-state.ts";

export interface EventMeta {
  /** Version of the event in the axis stream. */
  readonly version: number;
  readonly commandId: CommandId | null;
}

/** Events of the link and box streams: never part of an axis. */
type ForeignEvent =
  | "LinkWentUp"
  | "LinkWentDown"
  | "BoxStarted"
  | "FleetConfigured"
  | "BridgeStarted"
  | "BridgeLost"
  | "ClockStepped"
  | "RecoveryCompleted"
  | "BoxStopped"
  | "AlarmAcknowledged"
  | "AlarmShelved"
  | "LeaseGranted"
  | "LeaseReturned"
  | "LeaseTaken"
  | "LeaseLapsed"
  | keyof typeof RUN_EVENT_SCHEMAS;
type AxisEventType = Exclude<EventType, ForeignEvent>;
type Fold<T extends AxisEventType> = (axis: Axis, data: EventData<T>, meta: EventMeta) => Axis;

/** The axis after one event of its stream. Pure: same events, same state. */
export function evolve(axis: Axis, event: DomainEvent, meta: EventMeta): Axis {
  assert(meta.version === axis.version + 1, `axis ${axis.id} at ${axis.version} was given version ${meta.version}`);
  const fold = (FOLDS as Partial<Record<EventType, Fold<AxisEventType>>>)[event.type];
  assert(fold !== undefined, `${event.type} is not an event of an axis`);
  return { ...fold(axis, event.data as EventData<AxisEventType>, meta), version: meta.version };
}

/** The same from a row of the log. */
export function evolveRecorded(axis: Axis, recorded: RecordedEvent): Axis {
  return evolve(axis, typed(recorded), {
    version: recorded.version,
    commandId: recorded.commandId as CommandId | null,
  });
}

function changeOpen(axis: Axis, meta: EventMeta, change: (command: OpenCommand) => OpenCommand): Axis {
  const command = meta.commandId === null ? undefined : axis.open.get(meta.commandId);
  assert(command !== undefined, `axis ${axis.id} has no open command ${meta.commandId}`);
  return { ...axis, open: new Map(axis.open).set(command.commandId, change(command)) };
}

const accept: Fold<"MoveAccepted"> = (axis, data, meta) => {
  assert(meta.commandId !== null, `an acceptance on ${axis.id} names no command`);
  const { sawState: _, sawVersion: __, fingerprint: ___, commandType: type, request, ...decided } = data;
  const command: OpenCommand = {
    ...decided,
    commandId: meta.commandId,
    type,
    request: { type, ...request } as CommandRequest,
    phase: "accepted",
    acceptedVersion: meta.version,
    orderId: null,
    sent: false,
    outcomeUnknown: false,
  };
  return { ...axis, open: new Map(axis.open).set(command.commandId, command) };
};

/** Takes the command out of the open ones, once. */
function end(axis: Axis, meta: EventMeta): { axis: Axis; command: OpenCommand } {
  const command = meta.commandId === null ? undefined : axis.open.get(meta.commandId);
  assert(command !== undefined, `axis ${axis.id} has no open command ${meta.commandId} to end`);
  const open = new Map(axis.open);
  open.delete(command.commandId);
  return { axis: { ...axis, open }, command };
}
const endOnly = (axis: Axis, _data: unknown, meta: EventMeta): Axis => end(axis, meta).axis;

const at = (axis: Axis, position: number | null): Axis =>
  position === null ? axis : { ...axis, positionCounts: countsFromDisplay(position, scaleOf(axis)) };

const drivingDispatched = (axis: Axis): boolean =>
  axis.open.values().some((command) => isDriving(command.type) && isDispatched(command));

const unchanged = (axis: Axis): Axis => axis;

const succeed: Fold<"CommandSucceeded"> = (before, data, meta) => {
  const { axis, command } = end(before, meta);
  // Done and measured means standing; a velocity move alone does not end by itself.
  const stands = isDriving(command.type) && command.type !== "MoveVelocity";
  const rest = { moving: false, unexpectedMotion: false, heldCounts: command.targetCounts };
  return at(stands ? { ...axis, ...rest } : axis, data.finalPosition);
};

const latch: Fold<"StopLatched"> = (axis, data) => {
  const stop: StopRecord = { stopId: data.stopId, stopGeneration: data.stopGeneration, result: null };
  return {
    ...axis,
    stopLatched: true,
    stopGeneration: Math.max(axis.stopGeneration, data.stopGeneration),
    stops: [...axis.stops, stop].slice(-STOP_RECORDS_MAX),
    // An order on the wire may move the axis before any reading shows it: standstill has to be seen anew.
    moving: axis.moving || drivingDispatched(axis),
    heldCounts: null,
  };
};

const show: Fold<"AxisStateChanged"> = (axis, data) => {
  const stands = data.state === "standstill" || data.state === "disabled";
  const shown: Axis = {
    ...axis,
    state: data.state,
    homed: data.homed,
    enabled: data.enabled,
    currentCommand: data.currentCommand as CommandId | null,
    moving: data.state === "stopping" || (axis.moving && !stands),
    unexpectedMotion: axis.unexpectedMotion && !stands,
    heldCounts: data.enabled ? axis.heldCounts : null,
  };
  return at(shown, data.position);
};

const FOLDS: { readonly [T in AxisEventType]: Fold<T> } = {
  EnableAccepted: accept,
  DisableAccepted: accept,
  ResetAccepted: accept,
  HomeAccepted: accept,
  MoveAccepted: accept,
  VelocityMoveAccepted: accept,
  HaltAccepted: accept,
  SetPositionAccepted: accept,
  ParameterWriteAccepted: accept,
  CommandRejected: unchanged,
  DispatchStarted: (axis, data, meta) => {
    const after = changeOpen(axis, meta, (command) => ({ ...command, phase: "dispatched", orderId: data.orderId }));
    return drivingDispatched(after) ? { ...after, heldCounts: null } : after;
  },
  CommandSent: (axis, _data, meta) => changeOpen(axis, meta, (command) => ({ ...command, sent: true })),
  DispatchAcknowledged: (axis, _data, meta) =>
    changeOpen(axis, meta, (command) => ({ ...command, phase: "acknowledged", outcomeUnknown: false })),
  DispatchUnknown: (axis, _data, meta) => changeOpen(axis, meta, (command) => ({ ...command, outcomeUnknown: true })),
  MotionStarted: (axis, data, meta) => {
    const moving = changeOpen(axis, meta, (command) => ({ ...command, phase: "moving", outcomeUnknown: false }));
    return at({ ...moving, moving: true, unexpectedMotion: false }, data.position);
  },
  CommandSucceeded: succeed,
  CommandFailed: (axis, data, meta) => at(end(axis, meta).axis, data.finalPosition),
  CommandExpired: endOnly,
  CommandCancelled: endOnly,
  CommandSuperseded: endOnly,
  CommandStopped: (axis, data, meta) => at(end(axis, meta).axis, data.finalPosition),
  CommandIndeterminate: (before, _data, meta) => {
    const { axis, command } = end(before, meta);
    return MOTION_COMMANDS.has(command.type) ? { ...axis, unsettled: [...axis.unsettled, command.commandId] } : axis;
  },
  OutcomeSettled: (axis, _data, meta) => ({ ...axis, unsettled: axis.unsettled.filter((id) => id !== meta.commandId) }),
  StopLatched: latch,
  StopConfirmed: (axis, data) => ({
    ...axis,
    stops: axis.stops.map((stop) => (stop.stopId === data.stopId ? { ...stop, result: data.result } : stop)),
  }),
  LatchReleased: (axis) => ({ ...axis, stopLatched: false, moving: false }),
  AxisStateChanged: show,
  FaultRaised: (axis, data) => ({ ...axis, fault: data.fault, heldCounts: null }),
  FaultCleared: (axis) => ({ ...axis, fault: null }),
  AxisWentOffline: (axis, data) => {
    // Known motion is still reckoned with on return; any other motion is seen anew.
    const moving = axis.moving && (axis.stopLatched || drivingDispatched(axis));
    const unexpectedMotion = axis.unexpectedMotion && moving;
    return { ...axis, offlineReason: data.reason, moving, unexpectedMotion, heldCounts: null };
  },
  AxisCameOnline: (axis) => ({ ...axis, offlineReason: null }),
  DisplayOffsetSet: (axis, data) => ({ ...axis, displayOffset: data.displayOffset }),
  ReconcileRequired: (axis, data) => ({ ...axis, reconcileRequired: true, reconcileReason: data.reason }),
  AxisReconciled: (axis) => ({ ...axis, reconcileRequired: false, reconcileReason: null, unsettled: [] }),
  UnexpectedMotionSeen: (axis, data) =>
    at({ ...axis, moving: true, unexpectedMotion: true, heldCounts: null }, data.position),
  LimitReached: (axis, data) => at(axis, data.position),
  AxisAbilitiesSeen: (axis, data) => ({
    ...axis,
    abilities: {
      axis: axis.id,
      profile: data.profile,
      // Written from a bridge's own `AxisAbilities`.
      commands: data.commands as OpenCommand["type"][],
      parameters: data.parameters,
      commLoss: { supported: data.commLossSupported, reaction: data.commLossReaction },
      positionWindowCounts: data.positionWindowCounts,
    },
  }),
};
