import {
  COMPENSATION_KINDS,
  type DryRunView,
  ProgramSchema,
  type ProgramView,
  RUN_STATES,
  type RunView,
} from "@servofleet/contracts";
import Type, { type Static, type TProperties, type TSchema } from "typebox";
import { ProblemSchema } from "./problem-schema.ts";

const strict = <F extends TProperties>(fields: F) => Type.Object(fields, { additionalProperties: false });
const nullable = <T extends TSchema>(schema: T) => Type.Union([schema, Type.Null()]);
const oneOf = <T extends string>(values: readonly T[]) => Type.Unsafe<T>(Type.String({ enum: [...values] }));
const time = Type.String({ format: "date-time", description: "RFC 3339 UTC with microseconds" });
const stepKind = oneOf(["command", "dwell", "wait", "barrier"]);
const compensation = oneOf(COMPENSATION_KINDS);
const state = oneOf(RUN_STATES);
const id = nullable(Type.String());
const undo = strict({
  kind: compensation,
  state: oneOf(["planned", "offered", "running", "done", "failed", "declined", "skipped", "manual"]),
  commandId: id,
  detail: id,
});
const step = strict({
  step: Type.String(),
  kind: stepKind,
  state: oneOf(["running", "succeeded", "failed", "unknown", "halted"]),
  axis: id,
  commandId: id,
  startedAt: time,
  endedAt: nullable(time),
  problem: nullable(ProblemSchema),
  compensation: undo,
});
const dryStep = strict({
  step: Type.String(),
  kind: stepKind,
  axis: id,
  command: id,
  compensation,
  estimateMs: nullable(Type.Number()),
  deadlineMs: Type.Number(),
  problem: nullable(ProblemSchema),
});
const count = Type.Integer({ minimum: 0 });

/** Shapes of the answers about programs and runs, by their name in the OpenAPI document. */
export const RUN_SCHEMAS = {
  Run: strict({
    runId: Type.String(),
    program: Type.String(),
    version: count,
    state,
    axes: Type.Array(Type.String()),
    principal: Type.String(),
    trigger: nullable(strict({ name: Type.String(), eventId: Type.String() })),
    startedAt: time,
    endedAt: nullable(time),
    reason: id,
    problem: nullable(ProblemSchema),
    steps: Type.Array(step),
    transitions: Type.Array(strict({ state, at: time, logPosition: Type.String() })),
  }),
  RunWord: strict({ runId: Type.String(), state }),
  StartedRun: strict({
    runId: Type.String(),
    program: Type.String(),
    state: Type.Literal("running"),
    logPosition: Type.String({ description: "give it as minPosition to a read" }),
  }),
  Program: strict({
    name: Type.String(),
    version: count,
    definedAt: time,
    armed: Type.Boolean(),
    axes: Type.Array(Type.String()),
    program: ProgramSchema,
  }),
  DryRun: strict({
    program: Type.String(),
    version: count,
    ok: Type.Boolean(),
    axes: Type.Array(strict({ axis: Type.String(), problem: ProblemSchema })),
    steps: Type.Array(dryStep),
    estimateMs: Type.Number(),
    links: Type.Array(strict({ link: Type.String(), axesAtOnce: count, pollsPerS: Type.Number() })),
  }),
} as const;

type Schemas = typeof RUN_SCHEMAS;
/** The compiler's proof that schemas and published types are one. */
type Same<A, B> = [A] extends [B] ? true : never;
const _same: [
  Same<RunView["steps"][number]["state"], Static<Schemas["Run"]>["steps"][number]["state"]>,
  Same<keyof RunView, keyof Static<Schemas["Run"]>>,
  Same<keyof DryRunView, keyof Static<Schemas["DryRun"]>>,
  Same<keyof ProgramView, keyof Static<Schemas["Program"]>>,
] = [true, true, true, true];
void _same;
