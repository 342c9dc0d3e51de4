import {
  type AlarmView,
  AXIS_STATES,
  type AxisView,
  COMMAND_STATES,
  COMMAND_TYPES,
  type CommandView,
  FaultSchema,
  FrameSchema,
  type GrantedLeaseView,
  type JogView,
  type LinkView,
  ON_LAPSE,
  type OnLapse,
  QUALITIES,
} from "@servofleet/contracts";
import Type, { type Static, type TProperties, type TSchema } from "typebox";
import { ProblemSchema } from "./problem-schema.ts";
import { RUN_SCHEMAS } from "./run-schema.ts";

/** Shapes of the answers, for the OpenAPI document and for the tests that hold the answers to it. */
const strict = <P extends TProperties>(fields: P) => Type.Object(fields, { additionalProperties: false });
const nullable = <T extends TSchema>(schema: T) => Type.Union([schema, Type.Null()]);
const oneOf = <T extends string>(values: readonly T[]) => Type.Unsafe<T>(Type.String({ enum: [...values] }));
const time = (description = "RFC 3339 UTC with microseconds") => Type.String({ format: "date-time", description });
const ageMs = Type.Number({ minimum: 0, description: "ms" });
const number = Type.Number();
const count = Type.Integer({ minimum: 0 });
const list = <T extends TSchema>(items: T) => strict({ items: Type.Array(items), nextCursor: nullable(Type.String()) });

const quality = oneOf(QUALITIES);
const target = nullable(strict({ position: number, at: time(), ageMs }));

export const AxisSchema = strict({
  id: Type.String(),
  link: Type.String(),
  unit: Type.Integer(),
  profile: Type.String(),
  unitName: Type.String(),
  state: oneOf(AXIS_STATES),
  stopLatched: Type.Boolean(),
  homed: Type.Boolean(),
  reconcileRequired: Type.Boolean(),
  measured: strict({
    position: nullable(number),
    velocity: nullable(number),
    torque: nullable(number),
    temperature: nullable(number),
    at: nullable(time()),
    ageMs: nullable(ageMs),
    quality,
  }),
  commanded: target,
  sent: target,
  acknowledged: target,
  fault: nullable(Type.Object({ ...FaultSchema.properties, since: time() }, { additionalProperties: false })),
  currentCommand: nullable(Type.String()),
  version: count,
  asOf: time(),
  ageMs,
  quality,
});

export const CommandSchema = strict({
  commandId: Type.String(),
  axis: Type.String(),
  type: oneOf(COMMAND_TYPES),
  request: Type.Record(Type.String(), Type.Unknown()),
  state: oneOf(COMMAND_STATES),
  outcomeUnknown: Type.Boolean(),
  settled: nullable(Type.String()),
  principal: Type.String(),
  target: nullable(number),
  finalError: nullable(number),
  problem: nullable(ProblemSchema),
  reason: nullable(Type.String({ description: "why it expired, was cancelled, superseded or stopped, or stays open" })),
  transitions: Type.Array(
    strict({ state: oneOf(COMMAND_STATES), at: time(), logPosition: Type.String(), eventId: Type.String() }),
  ),
  frames: Type.Array(FrameSchema),
});

export const LinkSchema = strict({
  id: Type.String(),
  kind: Type.String(),
  state: oneOf(["up", "down"]),
  since: time(),
  load: nullable(number),
  budget: strict({ plannedLoad: nullable(number), stopBoundMs: nullable(number) }),
  transactionsPerS: nullable(number),
  pollStretch: nullable(strict({ idle: number, moving: number })),
  groupStart: nullable(strict({ axes: Type.Array(Type.String()), sentSkewMs: number, seenSkewMs: nullable(number) })),
  errors: strict({ timeout: count, crc: count, exception: count, mismatch: count, late: count }),
  units: Type.Array(
    strict({
      unit: Type.Integer(),
      axis: nullable(Type.String()),
      breaker: oneOf(["closed", "open", "half-open"]),
      lastReplyAt: nullable(time()),
    }),
  ),
});

export const AlarmSchema = strict({
  id: Type.String(),
  kind: oneOf([
    "link-down",
    "drive-fault",
    "limit-reached",
    "axis-offline",
    "lease-lapsed",
    "read-model-halted",
    "unexpected-motion",
  ]),
  source: Type.String({ description: "axis, link or projection" }),
  state: oneOf(["active", "acknowledged", "shelved", "cleared"]),
  message: Type.String(),
  remedy: Type.String(),
  since: time(),
  clearedAt: nullable(time()),
  acknowledgedBy: nullable(Type.String()),
});

export const GroupSchema = strict({ id: Type.String(), axes: Type.Array(Type.String()) });

export const EventSchema = strict({
  specversion: Type.Literal("1.0"),
  id: Type.String(),
  source: Type.String(),
  type: Type.String({ description: "servofleet.<Event>.v<n>" }),
  subject: Type.String({ description: "stream, as axis-x1" }),
  time: time(),
  datacontenttype: Type.Literal("application/json"),
  logposition: Type.String(),
  streamversion: count,
  epoch: count,
  commandid: nullable(Type.String()),
  correlationid: Type.String(),
  causationid: nullable(Type.String()),
  actor: nullable(Type.String()),
  traceparent: nullable(Type.String()),
  data: Type.Object({}),
});

const value = nullable(number);
const spread = nullable(strict({ min: number, max: number, mean: number }));
export const TelemetrySchema = strict({
  axis: Type.String(),
  unitName: Type.String(),
  kind: oneOf(["samples", "buckets"]),
  from: time(),
  to: time(),
  items: Type.Array(
    Type.Union([
      strict({
        at: time(),
        position: number,
        velocity: value,
        followingError: value,
        torque: value,
        temperature: value,
      }),
      strict({
        from: time(),
        to: time(),
        count,
        position: spread,
        velocity: spread,
        followingError: spread,
        torque: spread,
        temperature: spread,
      }),
    ]),
  ),
  nextCursor: Type.Null(),
});

export const AcceptedSchema = strict({
  commandId: Type.String(),
  axis: Type.String(),
  state: Type.Literal("accepted"),
  logPosition: Type.String({ description: "give it as minPosition to a read" }),
});
export const StopResultSchema = strict({
  items: Type.Array(
    strict({
      axis: Type.String(),
      result: oneOf(["sent", "acknowledged", "pending", "failed"]),
      recorded: Type.Boolean(),
      problem: nullable(ProblemSchema),
    }),
  ),
});

export const RecordedSchema = strict({
  alarm: Type.String(),
  logPosition: nullable(Type.String({ description: "give it as minPosition to a read" })),
});
export const ReconciledSchema = strict({
  axis: Type.String(),
  decision: oneOf(["adopt", "abandon"]),
  reconcileRequired: Type.Boolean(),
  version: count,
});

const leaseFields = {
  id: Type.String(),
  axes: Type.Array(Type.String()),
  principal: Type.String(),
  purpose: Type.String(),
  ttlMs: Type.Number(),
  onLapse: Type.Unsafe<OnLapse>(oneOf([...ON_LAPSE])),
  since: time(),
  remainingMs: Type.Number(),
};
export const LeaseSchema = strict(leaseFields);
export const GrantedLeaseSchema = strict({ ...leaseFields, token: Type.String({ description: "for Lease-Token" }) });
export const JogSchema = strict({
  id: Type.String(),
  axis: Type.String(),
  commandId: Type.String(),
  direction: Type.Union([Type.Literal(1), Type.Literal(-1)]),
  velocity: Type.Number(),
  target: Type.Number({ description: "the soft limit it runs towards" }),
  windowMs: Type.Number({ description: "without a beat for so long the axis is halted" }),
  beatMs: Type.Number({ description: "beat at least this often" }),
  seq: Type.Integer(),
  challenge: Type.String({ description: "to be given with the next beat" }),
});

/** Components of the OpenAPI document, by name. */
export const RESPONSES = {
  Axis: AxisSchema,
  AxisList: list(AxisSchema),
  Command: CommandSchema,
  CommandList: list(CommandSchema),
  Link: LinkSchema,
  LinkList: list(LinkSchema),
  AlarmList: list(AlarmSchema),
  GroupList: list(GroupSchema),
  Telemetry: TelemetrySchema,
  EventList: list(EventSchema),
  Event: EventSchema,
  Problem: ProblemSchema,
  Accepted: AcceptedSchema,
  StopResult: StopResultSchema,
  Recorded: RecordedSchema,
  Reconciled: ReconciledSchema,
  Lease: LeaseSchema,
  LeaseList: list(LeaseSchema),
  GrantedLease: GrantedLeaseSchema,
  Jog: JogSchema,
  ...RUN_SCHEMAS,
  RunList: list(RUN_SCHEMAS.Run),
  ProgramList: list(RUN_SCHEMAS.Program),
} as const;
export type SchemaName = keyof typeof RESPONSES;

/** The compiler's proof that schemas and published types are one. */
type Same<A, B> = [A] extends [B] ? true : never;
const _same: [
  Same<AxisView, Static<typeof AxisSchema>>,
  Same<Static<typeof AxisSchema>, AxisView>,
  Same<Static<typeof LinkSchema>, LinkView>,
  Same<Static<typeof AlarmSchema>, AlarmView>,
  Same<Static<typeof CommandSchema>["state"], CommandView["state"]>,
  Same<Static<typeof GrantedLeaseSchema>, GrantedLeaseView>,
  Same<Static<typeof JogSchema>, JogView>,
] = [true, true, true, true, true, true, true];
void _same;
