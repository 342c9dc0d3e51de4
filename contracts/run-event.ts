import Type, { type TSchema } from "typebox";
import { ProblemFactsSchema } from "./problem.ts";
import { COMPENSATION_KINDS, type CompensationKind, type Program, RUN_OUTCOMES, type RunOutcome } from "./program.ts";

const data = <P extends Record<string, TSchema>>(fields: P) => Type.Object(fields, { additionalProperties: false });
const nullable = <T extends TSchema>(schema: T) => Type.Union([schema, Type.Null()]);
const oneOf = <T extends string>(values: readonly T[]) => Type.Unsafe<T>(Type.String({ enum: [...values] }));
const text = Type.String({ maxLength: 500 });
const count = Type.Integer({ minimum: 0 });
const document = Type.Unsafe<Program>(Type.Object({}));
const kind = oneOf<CompensationKind>(COMPENSATION_KINDS);
/** A command that goes into the log in the same batch; null for what sends none. */
const command = nullable(data({ axis: Type.String(), commandId: Type.String() }));

/** Programs and triggers (box- stream) and the life of a run (run- streams: inbox and outbox of the saga in one). */
export const RUN_EVENT_SCHEMAS = {
  /** `version` counts the definitions of this name. */
  ProgramDefined: data({ name: Type.String(), version: count, program: document, principal: Type.String() }),
  /** Triggers of one program. In force until disarmed; a `BoxStarted` disarms them all. */
  TriggerArmed: data({ program: Type.String(), version: count, principal: Type.String() }),
  TriggerDisarmed: data({ program: Type.String(), reason: text }),
  /** What it was met with: the run, or why none was started (which disarms it). */
  TriggerFired: data({
    program: Type.String(),
    trigger: Type.String(),
    eventId: Type.String(),
    runId: nullable(Type.String()),
    problem: nullable(ProblemFactsSchema),
  }),
  RunStarted: data({
    runId: Type.String(),
    /** As it was when the run began: a later definition changes no run. */
    program: document,
    version: count,
    axes: Type.Array(Type.String()),
    principal: Type.String(),
    trigger: nullable(data({ name: Type.String(), eventId: Type.String() })),
    leaseId: Type.String(),
    fingerprint: Type.String(),
  }),
  /** Names what undoes the step before anything of it is sent. */
  RunStepStarted: data({
    step: Type.String(),
    attempt: count,
    kind: oneOf(["command", "dwell", "wait", "barrier"]),
    command,
    compensation: kind,
  }),
  RunStepEnded: data({
    step: Type.String(),
    attempt: count,
    outcome: oneOf(["succeeded", "failed", "unknown", "halted"]),
    problem: nullable(ProblemFactsSchema),
  }),
  /** Timers are events: only the newest token of a purpose is alive, and it fires once. */
  RunTimerSet: data({ token: Type.String(), afterMs: Type.Number(), dueAt: Type.String() }),
  RunTimerFired: data({ token: Type.String() }),
  RunPaused: data({ by: Type.String(), reason: text }),
  RunResumed: data({ by: Type.String(), leaseId: Type.String() }),
  /** A stop touched an axis of the run: it can only end held. */
  RunTouched: data({ axis: Type.String(), by: text }),
  /** The good way is left: whatever runs is halted first. */
  RunHalting: data({
    problem: ProblemFactsSchema,
    aborted: Type.Boolean(),
    commands: Type.Array(data({ axis: Type.String(), commandId: Type.String() })),
  }),
  /** A stop of these axes was asked for by the run itself. */
  RunStopAsked: data({ axes: Type.Array(Type.String()), reason: text }),
  /** The steps that have something to undo, newest first. */
  RunCompensating: data({ steps: Type.Array(Type.String()) }),
  /** A motion that only a person may let go ahead. */
  RunCompensationOffered: data({ step: Type.String() }),
  RunCompensationStarted: data({ step: Type.String(), kind, command, by: nullable(Type.String()) }),
  RunCompensationEnded: data({
    step: Type.String(),
    kind,
    outcome: oneOf(["done", "failed", "declined", "skipped", "manual"]),
    detail: text,
  }),
  /** The one end. */
  RunEnded: data({ outcome: oneOf<RunOutcome>(RUN_OUTCOMES), reason: text, problem: nullable(ProblemFactsSchema) }),
} as const satisfies Record<string, TSchema>;

/** Events of a run's own stream. */
export const RUN_STREAM_EVENTS = [
  "RunStarted",
  "RunStepStarted",
  "RunStepEnded",
  "RunTimerSet",
  "RunTimerFired",
  "RunPaused",
  "RunResumed",
  "RunTouched",
  "RunHalting",
  "RunStopAsked",
  "RunCompensating",
  "RunCompensationOffered",
  "RunCompensationStarted",
  "RunCompensationEnded",
  "RunEnded",
] as const satisfies readonly (keyof typeof RUN_EVENT_SCHEMAS)[];
export type RunEventType = (typeof RUN_STREAM_EVENTS)[number];
