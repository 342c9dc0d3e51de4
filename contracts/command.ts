import Type, { type Static, type TProperties } from "typebox";
import type { AxisId, CommandId } from "./ids.ts";
import type { ProblemFacts } from "./problem.ts";

/** Time to start (not to finish), ms. */
export const TTL_MIN_MS = 50;
export const TTL_MAX_MS = 60_000;
export const TTL_DEFAULT_MS = 5000;

/**
 * Shapes only: a wrong type or a foreign field is a 400. Whether a number is within a limit is decided by the domain (422),
 * so no schema here carries a minimum or maximum of a physical value.
 */
const body = <T extends string, P extends TProperties>(type: T, fields: P) =>
  Type.Object(
    { type: Type.Literal(type), ...fields, ttlMs: Type.Optional(Type.Number()) },
    { additionalProperties: false },
  );

const profile = {
  velocity: Type.Optional(Type.Number({ description: "units/s, above 0; default: the axis limit" })),
  acceleration: Type.Optional(Type.Number({ description: "units/s2, above 0; default: the axis limit" })),
  deceleration: Type.Optional(Type.Number({ description: "units/s2, above 0; default: the acceleration" })),
};

/** Values of one row: a Modbus write carries at most 123 registers (Modbus Application Protocol V1.1b3, 6.12). */
export const PARAMETER_VALUES_MAX = 123;

/** The bodies of `POST /v1/axes/{axis}/commands` (names of PLCopen Motion Control Part 1 v2.0 without the MC_). */
export const COMMAND_SCHEMAS = {
  Enable: body("Enable", {}),
  Disable: body("Disable", {}),
  Reset: body("Reset", {}),
  Home: body("Home", {}),
  MoveAbsolute: body("MoveAbsolute", { position: Type.Number(), ...profile }),
  MoveRelative: body("MoveRelative", { distance: Type.Number(), ...profile }),
  MoveVelocity: body("MoveVelocity", {
    velocity: Type.Number({ description: "signed, units/s" }),
    acceleration: profile.acceleration,
    deceleration: profile.deceleration,
  }),
  Halt: body("Halt", { deceleration: profile.deceleration }),
  SetPosition: body("SetPosition", {
    position: Type.Number({ description: "display position of the point where the axis stands" }),
  }),
  WriteParameter: body("WriteParameter", {
    parameter: Type.String({ minLength: 1, maxLength: 64 }),
    value: Type.Union([Type.Number(), Type.Array(Type.Number(), { minItems: 1, maxItems: PARAMETER_VALUES_MAX })], {
      description: "in the unit of the parameter; a list where the profile declares a row of values",
    }),
  }),
} as const;

/** The names of the commands. */
export type CommandType = keyof typeof COMMAND_SCHEMAS;
/** All of them, in the order of the documents. */
export const COMMAND_TYPES = Object.keys(COMMAND_SCHEMAS) as CommandType[];
/** Any body of a command, told apart by `type`. */
export type CommandRequest = { [K in CommandType]: Static<(typeof COMMAND_SCHEMAS)[K]> }[CommandType];

/** Commands that can set an axis in motion; everything a latch, a lease and a missing homing keep back. */
export const MOTION_COMMANDS: ReadonlySet<CommandType> = new Set([
  "Home",
  "MoveAbsolute",
  "MoveRelative",
  "MoveVelocity",
]);

/** Life of a command; exactly one of the terminal states is ever reached. */
export const COMMAND_STATES = [
  "accepted",
  "dispatched",
  "acknowledged",
  "moving",
  "succeeded",
  "failed",
  "rejected",
  "expired",
  "cancelled",
  "superseded",
  "stopped",
  "indeterminate",
] as const;
export type CommandState = (typeof COMMAND_STATES)[number];
export const TERMINAL_STATES: ReadonlySet<CommandState> = new Set([
  "succeeded",
  "failed",
  "rejected",
  "expired",
  "cancelled",
  "superseded",
  "stopped",
  "indeterminate",
]);

/** A wish as it reaches the decider: everything about time and identity is data. */
export interface Command {
  readonly commandId: CommandId;
  readonly axis: AxisId;
  readonly request: CommandRequest;
  /** Pseudonymous actor; `local` until users exist. */
  readonly principal: string;
  /** sha256 (hex) over method, path and canonical body. */
  readonly fingerprint: string;
  /** Monotonic receive time, ms. */
  readonly receivedAtMs: number;
  readonly ttlMs: number;
  /** Axis version the client expects (`If-Match`). */
  readonly expectedVersion?: number;
  readonly traceparent?: string;
}

/** A decided "no". */
export interface Refusal {
  readonly refused: true;
  readonly problem: ProblemFacts;
}
