import Type, { type Static, type TSchema } from "typebox";
import { AxisStateSchema } from "./axis.ts";
import { COMMAND_SCHEMAS, type CommandRequest } from "./command.ts";
import { ID_PATTERN } from "./ids.ts";

/** Bounds of a program document. */
export const PROGRAM_STEPS_MAX = 64;
export const PROGRAM_BRANCHES_MAX = 16;
export const PROGRAM_TRIGGERS_MAX = 8;
/** Programs that one box keeps. */
export const PROGRAMS_MAX = 256;
/** A step may take an hour at most: whoever needs longer writes two steps. */
export const STEP_DEADLINE_MAX_MS = 3_600_000;
export const STEP_DEADLINE_DEFAULT_MS = 30_000;
export const COMPENSATION_DEADLINE_DEFAULT_MS = 10_000;

const strict = { additionalProperties: false } as const;
const id = (description: string) => Type.String({ pattern: ID_PATTERN, description });
const ms = (description: string, fallback?: number) =>
  Type.Integer({
    minimum: 1,
    maximum: STEP_DEADLINE_MAX_MS,
    description,
    ...(fallback === undefined ? {} : { default: fallback }),
  });
const stepId = Type.Optional(id("name of the step; default: its place, as s1 or s2_b1_1"));
const deadlineMs = ms("how long the step may take", STEP_DEADLINE_DEFAULT_MS);
const undoMs = ms("how long the compensation may take", COMPENSATION_DEADLINE_DEFAULT_MS);

/** What has to be true of one axis: every field that is given. Positions in display units. */
export const AxisConditionSchema = Type.Object(
  {
    axis: id("of this axis"),
    state: Type.Optional(AxisStateSchema),
    homed: Type.Optional(Type.Boolean()),
    positionAtLeast: Type.Optional(Type.Number()),
    positionAtMost: Type.Optional(Type.Number()),
  },
  strict,
);
export type AxisCondition = Static<typeof AxisConditionSchema>;

const simple = <K extends string>(kind: K, description: string) =>
  Type.Object({ kind: Type.Literal(kind), deadlineMs: undoMs }, { ...strict, description });

/**
 * What undoes a step. `stop` (latched) and `hold` (halted, torque on) run without a person; `return-to` is offered and
 * waits for one; `manual` leaves the run held.
 */
export const CompensationSchema = Type.Union([
  Type.Object({ kind: Type.Literal("none") }, strict),
  simple("stop", "a latched software stop; not a safety function"),
  simple("hold", "halt, torque stays on"),
  Type.Object(
    {
      kind: Type.Literal("return-to"),
      position: Type.Number({ description: "display units" }),
      velocity: Type.Optional(Type.Number({ description: "units/s, above 0; default: the axis limit" })),
      deadlineMs: undoMs,
    },
    strict,
  ),
  Type.Object({ kind: Type.Literal("manual") }, strict),
]);
export type Compensation = Static<typeof CompensationSchema>;
export type CompensationKind = Compensation["kind"];
export const COMPENSATION_KINDS = ["none", "stop", "hold", "return-to", "manual"] as const;

/** Every command but Reset: clearing a fault or a latch is a person's, never a program's. */
const { Reset: _, ...PROGRAM_COMMANDS } = COMMAND_SCHEMAS;
/** A command as a step carries it. */
export type ProgramCommand = Exclude<CommandRequest, { type: "Reset" }>;

const CommandStepSchema = Type.Object(
  {
    kind: Type.Literal("command"),
    id: stepId,
    axis: id("the axis that is commanded"),
    command: Type.Unsafe<ProgramCommand>(Type.Union(Object.values<TSchema>(PROGRAM_COMMANDS))),
    deadlineMs,
    compensation: Type.Optional(CompensationSchema),
  },
  strict,
);
const DwellStepSchema = Type.Object(
  { kind: Type.Literal("dwell"), id: stepId, ms: ms("how long nothing happens") },
  strict,
);
const WaitStepSchema = Type.Object(
  { kind: Type.Literal("wait"), id: stepId, until: AxisConditionSchema, deadlineMs },
  strict,
);
/** Branches of one `parallel` that name the same barrier meet there. */
const BarrierStepSchema = Type.Object(
  { kind: Type.Literal("barrier"), id: stepId, name: id("the same in every branch that meets here"), deadlineMs },
  strict,
);
const LeafSchema = Type.Union([CommandStepSchema, DwellStepSchema, WaitStepSchema, BarrierStepSchema]);
/** A step that does something by itself. */
export type LeafStep = Static<typeof LeafSchema>;
const ParallelStepSchema = Type.Object(
  {
    kind: Type.Literal("parallel"),
    branches: Type.Array(Type.Array(LeafSchema, { minItems: 1, maxItems: PROGRAM_STEPS_MAX }), {
      minItems: 2,
      maxItems: PROGRAM_BRANCHES_MAX,
    }),
  },
  strict,
);
/** A step of a program: one that does something, or several lists of those side by side. */
export type ProgramStep = LeafStep | Static<typeof ParallelStepSchema>;

const triggerTerms = {
  id: id("name of the trigger"),
  when: Type.Optional(Type.Array(AxisConditionSchema, { maxItems: 16, description: "and all of these hold" })),
};
/** An event that starts the program, if its conditions hold and a person has armed it. */
export const TriggerSchema = Type.Union([
  Type.Object(
    { event: Type.Literal("RunEnded"), ...triggerTerms, program: id("a run of this program was completed") },
    strict,
  ),
  Type.Object(
    {
      event: Type.Literal("CommandSucceeded"),
      ...triggerTerms,
      axis: id("a command of this axis"),
      command: Type.Optional(Type.String({ enum: Object.keys(PROGRAM_COMMANDS), description: "of this type only" })),
    },
    strict,
  ),
  Type.Object(
    {
      event: Type.Literal("AxisStateChanged"),
      ...triggerTerms,
      axis: id("this axis"),
      state: AxisStateSchema,
    },
    strict,
  ),
]);
export type Trigger = Static<typeof TriggerSchema>;

/** `POST /v1/programs`: a saga over several axes. It can never contain Reset. */
export const ProgramSchema = Type.Object(
  {
    name: id("name of the program"),
    description: Type.Optional(Type.String({ maxLength: 500 })),
    axes: Type.Optional(Type.Array(id("an axis"), { minItems: 1, maxItems: 64 })),
    group: Type.Optional(id("its axes take part, too")),
    onRestart: Type.Unsafe<"hold" | "pause">(
      Type.String({
        enum: ["hold", "pause"],
        default: "hold",
        description: "what becomes of a run that a restart of the controller cut: ended held, or paused for a person",
      }),
    ),
    steps: Type.Array(Type.Union([...LeafSchema.anyOf, ParallelStepSchema]), {
      minItems: 1,
      maxItems: PROGRAM_STEPS_MAX,
    }),
    triggers: Type.Array(TriggerSchema, { maxItems: PROGRAM_TRIGGERS_MAX, default: [] }),
  },
  strict,
);
/** With its defaults filled in. */
export type Program = Static<typeof ProgramSchema>;

/** How a run stands. The last five are its one end. */
export const RUN_STATES = [
  "running",
  "paused",
  "halting",
  "compensating",
  "offering",
  "completed",
  "compensated",
  "failed",
  "aborted",
  "held",
] as const;
export type RunState = (typeof RUN_STATES)[number];
export const RUN_OUTCOMES = ["completed", "compensated", "failed", "aborted", "held"] as const;
export type RunOutcome = (typeof RUN_OUTCOMES)[number];
