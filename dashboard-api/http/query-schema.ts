import { AXIS_STATES, COMMAND_STATES, EVENT_SCHEMAS, ID_PATTERN, RUN_STATES } from "@servofleet/contracts";
import Type, { type TProperties } from "typebox";

/** Longest wait for a position, ms. */
export const WAIT_MAX_MS = 10_000;
const WAIT_DEFAULT_MS = 500;
export const LIMIT_DEFAULT = 200;
export const LIMIT_MAX = 1000;
/** Plot points one answer may carry. */
export const POINTS_MAX = 10_000;
const POINTS_DEFAULT = 1000;

/** A moment: RFC 3339 with any offset. */
const time = (description: string) => Type.Optional(Type.String({ format: "date-time", description }));
export const LOG_POSITION_PATTERN = "^[0-9A-Za-z_-]{1,64}\\.(0|[1-9][0-9]{0,15})$";
const positionOrToken = "^([0-9A-Za-z_-]{1,64}\\.)?(0|[1-9][0-9]{0,15})$";

/** Every read takes these. */
const waiting = {
  minPosition: Type.Optional(
    Type.String({ pattern: LOG_POSITION_PATTERN, description: "wait until the read model has this log position" }),
  ),
  waitMs: Type.Optional(
    Type.Integer({
      minimum: 0,
      maximum: WAIT_MAX_MS,
      default: WAIT_DEFAULT_MS,
      description: "how long to wait for it",
    }),
  ),
};
const past = {
  at: time("as it was at this moment"),
  atPosition: Type.Optional(
    Type.String({ pattern: positionOrToken, description: "as it was at this log position, `<n>` or `<logId>.<n>`" }),
  ),
};
const paging = {
  limit: Type.Optional(Type.Integer({ minimum: 1, maximum: LIMIT_MAX, default: LIMIT_DEFAULT })),
  cursor: Type.Optional(Type.String({ maxLength: 100, description: "`nextCursor` of the page before" })),
};
const axis = Type.Optional(Type.String({ pattern: ID_PATTERN, description: "of this axis only" }));
const eventFilter = {
  type: Type.Optional(
    Type.String({
      maxLength: 1000,
      description: "event types, comma separated, as `MoveAccepted` or `servofleet.MoveAccepted.v1`",
      examples: [Object.keys(EVENT_SCHEMAS).slice(0, 2).join(",")],
    }),
  ),
  axis,
  afterPosition: Type.Optional(
    Type.String({ pattern: positionOrToken, description: "events after this log position, `<n>` or `<logId>.<n>`" }),
  ),
};

const strict = <P extends TProperties>(fields: P) => Type.Object(fields, { additionalProperties: false });

/** Query parameters per kind of read. A foreign parameter is an error: a misspelt filter must not answer everything. */
export const QUERY = {
  plain: strict({ ...waiting }),
  list: strict({ ...waiting, ...paging }),
  pastOne: strict({ ...waiting, ...past }),
  axes: strict({
    ...waiting,
    ...past,
    ...paging,
    state: Type.Optional(Type.Unsafe<string>(Type.String({ enum: [...AXIS_STATES] }))),
  }),
  commands: strict({
    ...waiting,
    ...past,
    ...paging,
    axis,
    state: Type.Optional(Type.Unsafe<string>(Type.String({ enum: [...COMMAND_STATES] }))),
    since: time("accepted or rejected at or after this moment"),
  }),
  alarms: strict({
    ...waiting,
    ...past,
    ...paging,
    state: Type.Optional(Type.Unsafe<string>(Type.String({ enum: ["active", "acknowledged", "shelved", "cleared"] }))),
  }),
  runs: strict({
    ...waiting,
    ...paging,
    program: Type.Optional(Type.String({ pattern: ID_PATTERN, description: "of this program only" })),
    state: Type.Optional(Type.Unsafe<string>(Type.String({ enum: [...RUN_STATES] }))),
  }),
  telemetry: strict({
    ...waiting,
    from: time("default: one minute before `to`"),
    to: time("default: now"),
    points: Type.Optional(Type.Integer({ minimum: 2, maximum: POINTS_MAX, default: POINTS_DEFAULT })),
  }),
  events: strict({
    ...waiting,
    ...paging,
    ...eventFilter,
    command: Type.Optional(Type.String({ maxLength: 100, description: "of this command only, wherever they lie" })),
  }),
  eventStream: strict({ ...waiting, ...eventFilter }),
  live: strict({ ...waiting, axis }),
  ready: Type.Object({ verbose: Type.Optional(Type.String({ maxLength: 5 })) }, { additionalProperties: false }),
  none: strict({}),
} as const;
export type QueryName = keyof typeof QUERY;

/** Any read's query after validation: absent is undefined. */
export interface ReadQuery {
  readonly minPosition?: string;
  readonly waitMs?: number;
  readonly at?: string;
  readonly atPosition?: string;
  readonly limit?: number;
  readonly cursor?: string;
  readonly axis?: string;
  readonly command?: string;
  readonly program?: string;
  readonly state?: string;
  readonly since?: string;
  readonly from?: string;
  readonly to?: string;
  readonly points?: number;
  readonly type?: string;
  readonly afterPosition?: string;
  readonly verbose?: string;
}
export const DEFAULTS = { waitMs: WAIT_DEFAULT_MS, limit: LIMIT_DEFAULT, points: POINTS_DEFAULT } as const;
