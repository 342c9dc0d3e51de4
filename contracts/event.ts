import Type, { type Static, type TSchema } from "typebox";
import { AxisStateSchema, FaultSchema } from "./axis.ts";
import type { CommandState, CommandType } from "./command.ts";
import { FleetConfigSchema } from "./fleet-config.ts";
import { FrameSchema } from "./frame.ts";
import { ProblemFactsSchema } from "./problem.ts";
import { RUN_EVENT_SCHEMAS } from "./run-event.ts";

const data = <P extends Record<string, TSchema>>(fields: P) => Type.Object(fields, { additionalProperties: false });
const nullable = <T extends TSchema>(schema: T) => Type.Union([schema, Type.Null()]);
const frames = Type.Array(FrameSchema, { maxItems: 64 });
const text = Type.String({ maxLength: 500 });
const count = Type.Integer({ minimum: 0 });

/** What every acceptance records: the wish, and what it was decided to be (positions in display units and in counts). */
const accepted = data({
  commandType: Type.Unsafe<CommandType>(Type.String()),
  request: Type.Unsafe<Record<string, unknown>>(Type.Object({})),
  principal: Type.String(),
  fingerprint: Type.String(),
  ttlMs: Type.Number(),
  stopGeneration: count,
  /** Where it goes, display units; null when it goes nowhere. */
  target: nullable(Type.Number()),
  /** The same in drive counts: relative moves are absolute from here on. */
  targetCounts: nullable(Type.Integer()),
  /** Effective values, units/s and units/s2. */
  velocity: nullable(Type.Number()),
  acceleration: nullable(Type.Number()),
  deceleration: nullable(Type.Number()),
  /** The axis as the decision saw it, for `why`. */
  sawState: AxisStateSchema,
  sawVersion: count,
});
const ended = <P extends Record<string, TSchema>>(more: P) => data({ frames, ...more });

/**
 * Every event of the log, version 1. Facts in the past tense. `axis-` streams unless said otherwise.
 * Shapes that have shipped are never changed here: a new shape is a new version with an upcaster.
 */
export const EVENT_SCHEMAS = {
  EnableAccepted: accepted,
  DisableAccepted: accepted,
  ResetAccepted: accepted,
  HomeAccepted: accepted,
  /** MoveAbsolute and MoveRelative. */
  MoveAccepted: accepted,
  VelocityMoveAccepted: accepted,
  HaltAccepted: accepted,
  SetPositionAccepted: accepted,
  ParameterWriteAccepted: accepted,
  /** A decided refusal (409, 412, 422, 423): nothing will ever be sent. Terminal. */
  CommandRejected: data({
    commandType: Type.Unsafe<CommandType>(Type.String()),
    request: Type.Unsafe<Record<string, unknown>>(Type.Object({})),
    principal: Type.String(),
    fingerprint: Type.String(),
    problem: ProblemFactsSchema,
  }),
  /** Write-ahead: from here bytes may be on the wire. */
  DispatchStarted: data({ orderId: Type.String(), stopGeneration: count, targetCounts: nullable(Type.Integer()) }),
  /** The first byte has left. */
  CommandSent: data({ orderId: Type.String(), at: Type.String(), frames }),
  DispatchAcknowledged: data({
    orderId: Type.String(),
    targetCounts: nullable(Type.Integer()),
    settledByReading: Type.Boolean(),
    frames,
  }),
  /** The write timed out: outcome unknown, being settled by reading. */
  DispatchUnknown: data({ orderId: Type.String(), problem: ProblemFactsSchema, frames }),
  MotionStarted: data({ position: Type.Number(), frames }),
  /** Terminal events, one per command. */
  CommandSucceeded: ended({
    finalPosition: nullable(Type.Number()),
    finalError: nullable(Type.Number()),
    summary: nullable(
      data({
        durationMs: Type.Number(),
        peakVelocity: Type.Number(),
        peakFollowingError: nullable(Type.Number()),
        samples: count,
      }),
    ),
  }),
  CommandFailed: ended({ problem: ProblemFactsSchema, finalPosition: nullable(Type.Number()) }),
  CommandExpired: ended({ reason: text }),
  CommandCancelled: ended({ by: Type.String() }),
  CommandSuperseded: ended({ by: Type.String() }),
  CommandStopped: ended({ by: text, finalPosition: nullable(Type.Number()) }),
  CommandIndeterminate: ended({ reason: text }),
  /** A later reconcile of an indeterminate command fills `settled`, never its state. */
  OutcomeSettled: data({ settled: text }),
  /** A stop, written after the wire. `scope`: axis, group:<id>, link:<id>, all. */
  StopLatched: data({
    stopId: Type.String(),
    stopGeneration: count,
    scope: Type.String(),
    reason: Type.String(),
    principal: Type.String(),
    at: Type.String(),
  }),
  StopConfirmed: data({
    stopId: Type.String(),
    stopGeneration: count,
    result: Type.String(),
    problem: nullable(ProblemFactsSchema),
    frames,
  }),
  LatchReleased: data({ stopGeneration: count }),
  /** The state as shown, whenever any part of it changes. */
  AxisStateChanged: data({
    state: AxisStateSchema,
    stopLatched: Type.Boolean(),
    homed: Type.Boolean(),
    enabled: Type.Boolean(),
    reconcileRequired: Type.Boolean(),
    currentCommand: nullable(Type.String()),
    position: nullable(Type.Number()),
  }),
  FaultRaised: data({ fault: FaultSchema }),
  FaultCleared: data({ fault: FaultSchema }),
  AxisWentOffline: data({ reason: text }),
  AxisCameOnline: data({}),
  DisplayOffsetSet: data({ displayOffset: Type.Number() }),
  ReconcileRequired: data({ reason: text }),
  AxisReconciled: data({
    decision: Type.Union([Type.Literal("adopt"), Type.Literal("abandon")]),
    principal: Type.String(),
  }),
  UnexpectedMotionSeen: data({ position: nullable(Type.Number()) }),
  /** Motion was halted or refused at a limit. */
  LimitReached: data({ limit: Type.String(), position: nullable(Type.Number()) }),
  AxisAbilitiesSeen: data({
    profile: Type.String(),
    commands: Type.Array(Type.String()),
    parameters: Type.Array(Type.String()),
    commLossSupported: Type.Boolean(),
    commLossReaction: text,
    positionWindowCounts: Type.Number(),
  }),
  /** link- streams. */
  LinkWentUp: data({}),
  LinkWentDown: data({ reason: text }),
  /** box- stream. */
  BoxStarted: data({ epoch: count, boot: Type.String(), version: Type.String() }),
  /** The whole configuration, so that the read side needs nothing but the log. */
  FleetConfigured: data({ config: FleetConfigSchema }),
  BridgeStarted: data({ bridgeBoot: Type.String() }),
  BridgeLost: data({ reason: text }),
  ClockStepped: data({ fromUs: Type.Number(), toUs: Type.Number() }),
  RecoveryCompleted: data({
    axes: Type.Array(data({ axis: Type.String(), finding: Type.String(), action: Type.String() })),
  }),
  BoxStopped: data({ reason: text }),
  /** Control over axes (box- stream). Leases end with the process: a `BoxStarted` ends them all. */
  LeaseGranted: data({
    leaseId: Type.String(),
    axes: Type.Array(Type.String()),
    principal: Type.String(),
    purpose: Type.String(),
    ttlMs: Type.Number(),
    onLapse: Type.String(),
  }),
  LeaseReturned: data({ leaseId: Type.String(), axes: Type.Array(Type.String()) }),
  LeaseTaken: data({ leaseId: Type.String(), axes: Type.Array(Type.String()), from: Type.String(), reason: text }),
  LeaseLapsed: data({
    leaseId: Type.String(),
    axes: Type.Array(Type.String()),
    principal: Type.String(),
    onLapse: Type.String(),
  }),
  /** A person acknowledged or shelved an alarm (box- stream). */
  AlarmAcknowledged: data({ alarm: Type.String(), principal: Type.String() }),
  AlarmShelved: data({ alarm: Type.String(), principal: Type.String(), until: Type.String(), reason: text }),
  ...RUN_EVENT_SCHEMAS,
} as const satisfies Record<string, TSchema>;

/** The names of the events. */
export type EventType = keyof typeof EVENT_SCHEMAS;
/** What one type of event carries. */
export type EventData<T extends EventType> = Static<(typeof EVENT_SCHEMAS)[T]>;
/** An event as the decider makes it: the log adds the rest of the envelope. */
export type DomainEvent = { [T in EventType]: { readonly type: T; readonly data: EventData<T> } }[EventType];
/** Version written today, per type. */
export const EVENT_SCHEMA_VERSION = 1;

/** The acceptance event of each command type. */
export const ACCEPTED_EVENT: Record<CommandType, EventType> = {
  Enable: "EnableAccepted",
  Disable: "DisableAccepted",
  Reset: "ResetAccepted",
  Home: "HomeAccepted",
  MoveAbsolute: "MoveAccepted",
  MoveRelative: "MoveAccepted",
  MoveVelocity: "VelocityMoveAccepted",
  Halt: "HaltAccepted",
  SetPosition: "SetPositionAccepted",
  WriteParameter: "ParameterWriteAccepted",
};
export const ACCEPTED_EVENTS: ReadonlySet<EventType> = new Set(Object.values(ACCEPTED_EVENT));

/** The command state that each event of a command's life leads to. */
export const COMMAND_STATE_AFTER: Partial<Record<EventType, CommandState>> = {
  ...Object.fromEntries(Object.values(ACCEPTED_EVENT).map((type) => [type, "accepted" as const])),
  CommandRejected: "rejected",
  DispatchStarted: "dispatched",
  DispatchAcknowledged: "acknowledged",
  MotionStarted: "moving",
  CommandSucceeded: "succeeded",
  CommandFailed: "failed",
  CommandExpired: "expired",
  CommandCancelled: "cancelled",
  CommandSuperseded: "superseded",
  CommandStopped: "stopped",
  CommandIndeterminate: "indeterminate",
};

/** Why a command ended without success or failure, in words; null for every other event. */
export function endReason(event: DomainEvent): string | null {
  switch (event.type) {
    case "CommandExpired":
    case "CommandIndeterminate":
      return event.data.reason;
    case "CommandCancelled":
    case "CommandSuperseded":
    case "CommandStopped":
      return `by ${event.data.by}`;
    default:
      return null;
  }
}
