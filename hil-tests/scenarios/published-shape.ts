import { isDeepStrictEqual } from "node:util";

/**
 * A published shape, written down a second time here on purpose: what the product checks itself against would agree with
 * its own mistakes. A function tests a value; an object lists exactly the keys there are; a list holds items of one shape.
 */
export type Shape = ((value: unknown) => boolean) | { readonly [key: string]: Shape } | readonly [Shape];

export const text = (value: unknown): boolean => typeof value === "string" && value.length > 0;
export const figure = (value: unknown): boolean => typeof value === "number" && Number.isFinite(value);
export const count = (value: unknown): boolean => Number.isInteger(value) && (value as number) >= 0;
export const flag = (value: unknown): boolean => typeof value === "boolean";
export const anything = (value: unknown): boolean => value !== undefined;
/** RFC 3339, UTC, microseconds. */
export const time = (value: unknown): boolean =>
  typeof value === "string" && /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/.test(value);
export const logPosition = (value: unknown): boolean =>
  typeof value === "string" && /^[0-9A-Za-z_-]{1,64}\.(0|[1-9]\d*)$/.test(value);
export const uuid = (value: unknown): boolean =>
  typeof value === "string" && /^[0-9a-f]{8}-[0-9a-f]{4}-[1-8][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/.test(value);
export const hex = (value: unknown): boolean => typeof value === "string" && /^([0-9a-f]{2})+$/.test(value);
export const oneOf =
  (...values: readonly unknown[]) =>
  (value: unknown): boolean =>
    values.some((allowed) => isDeepStrictEqual(allowed, value));
/** Unknown values are null, never absent. */
export const orNull =
  (shape: Shape) =>
  (value: unknown): boolean =>
    value === null || differences(value, shape).length === 0;

/** Where a value differs from the shape, in words; empty when it has it. */
export function differences(value: unknown, shape: Shape, at = ""): string[] {
  if (typeof shape === "function") return shape(value) ? [] : [`${at || "/"}: ${JSON.stringify(value)}`];
  if (Array.isArray(shape)) {
    if (!Array.isArray(value)) return [`${at || "/"}: no list`];
    return value.flatMap((item, n) => differences(item, (shape as readonly [Shape])[0], `${at}/${n}`));
  }
  if (typeof value !== "object" || value === null) return [`${at || "/"}: no object but ${JSON.stringify(value)}`];
  const fields = shape as Readonly<Record<string, Shape>>;
  const names = new Set([...Object.keys(fields), ...Object.keys(value)]);
  return [...names].flatMap((name) => {
    const wanted = fields[name];
    if (!wanted) return [`${at}/${name}: is not published`];
    if (!(name in value)) return [`${at}/${name}: is missing`];
    return differences((value as Record<string, unknown>)[name], wanted, `${at}/${name}`);
  });
}

const AXIS_STATES = [
  "disabled",
  "standstill",
  "homing",
  "discrete-motion",
  "continuous-motion",
  "synchronized-motion",
  "stopping",
  "error-stop",
  "offline",
];
const COMMAND_STATES = [
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
];
const COMMAND_TYPES = [
  "Enable",
  "Disable",
  "Reset",
  "Home",
  "MoveAbsolute",
  "MoveRelative",
  "MoveVelocity",
  "Halt",
  "SetPosition",
  "WriteParameter",
];
const quality = oneOf("good", "stale", "uncertain", "bad");
const agedTarget = orNull({ position: figure, at: time, ageMs: figure });

/** `{"items":[...],"nextCursor":null}` */
export const listOf = (shape: Shape): Shape => ({ items: [shape], nextCursor: orNull(text) });

export const axis: Shape = {
  id: text,
  link: text,
  unit: count,
  profile: text,
  unitName: text,
  state: oneOf(...AXIS_STATES),
  stopLatched: flag,
  homed: flag,
  reconcileRequired: flag,
  measured: {
    position: orNull(figure),
    velocity: orNull(figure),
    torque: orNull(figure),
    temperature: orNull(figure),
    at: orNull(time),
    ageMs: orNull(figure),
    quality,
  },
  commanded: agedTarget,
  sent: agedTarget,
  acknowledged: agedTarget,
  fault: orNull({ code: text, name: text, remedy: text, since: time }),
  currentCommand: orNull(uuid),
  version: count,
  asOf: time,
  ageMs: figure,
  quality,
};

/** RFC 9457; `commandId` only where there is a command. */
export const problem =
  (slug: string, status: number) =>
  (value: unknown): boolean => {
    const { commandId, ...rest } = value as Record<string, unknown>;
    const named = commandId === undefined || uuid(commandId);
    const shape: Shape = {
      type: oneOf(`/problems/${slug}`),
      title: text,
      status: oneOf(status),
      detail: text,
      instance: (path) => text(path) && String(path).startsWith("/"),
      remedy: text,
      // RFC 6901: the empty pointer is the whole document.
      errors: [{ pointer: (pointer) => pointer === "" || String(pointer).startsWith("/"), detail: text }],
    };
    return named && differences(rest, shape).length === 0;
  };

export const anyProblem = (value: unknown): boolean => {
  const { type, status } = value as { type: string; status: number };
  return problem(String(type).replace("/problems/", ""), status)(value);
};

export const command: Shape = {
  commandId: uuid,
  axis: text,
  type: oneOf(...COMMAND_TYPES),
  request: anything,
  state: oneOf(...COMMAND_STATES),
  outcomeUnknown: flag,
  settled: orNull(text),
  principal: oneOf("local"),
  target: orNull(figure),
  finalError: orNull(figure),
  reason: orNull(text),
  problem: orNull(anyProblem),
  transitions: [{ state: oneOf(...COMMAND_STATES), at: time, logPosition, eventId: uuid }],
  frames: [{ direction: oneOf("tx", "rx"), at: time, hex }],
};

export const link: Shape = {
  id: text,
  kind: oneOf("modbus-rtu", "modbus-tcp", "modbus-rtu-over-tcp", "dynamixel", "feetech"),
  state: oneOf("up", "down"),
  since: time,
  load: orNull(figure),
  budget: { plannedLoad: orNull(figure), stopBoundMs: orNull(figure) },
  transactionsPerS: orNull(figure),
  pollStretch: orNull({ idle: figure, moving: figure }),
  groupStart: orNull({ axes: [text], sentSkewMs: figure, seenSkewMs: orNull(figure) }),
  errors: { timeout: count, crc: count, exception: count, mismatch: count, late: count },
  units: [
    { unit: count, axis: orNull(text), breaker: oneOf("closed", "open", "half-open"), lastReplyAt: orNull(time) },
  ],
};

export const group: Shape = { id: text, axes: [text] };

export const event: Shape = {
  specversion: oneOf("1.0"),
  id: uuid,
  source: oneOf("/boxes/demo_box"),
  type: (value) => /^servofleet\.[A-Z][A-Za-z]+\.v\d+$/.test(String(value)),
  subject: (value) => /^(axis|link|box)-[a-z0-9_]+$/.test(String(value)),
  time,
  datacontenttype: oneOf("application/json"),
  logposition: logPosition,
  streamversion: count,
  epoch: count,
  commandid: orNull(uuid),
  correlationid: uuid,
  causationid: orNull(uuid),
  actor: orNull(text),
  traceparent: orNull(text),
  data: (value) => typeof value === "object" && value !== null,
};

export const stopResult: Shape = {
  items: [
    {
      axis: text,
      result: oneOf("sent", "acknowledged", "pending", "failed"),
      recorded: flag,
      problem: orNull(anyProblem),
    },
  ],
};

export const accepted: Shape = { commandId: uuid, axis: text, state: oneOf("accepted"), logPosition };
