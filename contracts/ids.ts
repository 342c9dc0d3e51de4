import Type from "typebox";

declare const brand: unique symbol;
/** A primitive that only its own constructor may make, so that an axis id is never passed as a link id. */
export type Branded<T, B extends string> = T & { readonly [brand]: B };

/** Name of an edge box. */
export type BoxId = Branded<string, "BoxId">;
/** Name of a link. */
export type LinkId = Branded<string, "LinkId">;
/** Name of an axis. */
export type AxisId = Branded<string, "AxisId">;
/** Name of a group of axes. */
export type GroupId = Branded<string, "GroupId">;
/** UUIDv5 of principal and idempotency key, so that a repeated request names the same command. */
export type CommandId = Branded<string, "CommandId">;
/** `<logId>.<position>`: a position is only comparable inside one log. */
export type LogPosition = Branded<string, "LogPosition">;

/** Every id we name ourselves: no dot, star or dash, so that it is a NATS subject token and a stream suffix as it is. */
export const ID_PATTERN = "^[a-z0-9_]{1,64}$";
export const UUID_PATTERN = "^[0-9a-f]{8}-[0-9a-f]{4}-[1-8][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$";

const id = <T>(description: string) => Type.Unsafe<T>(Type.String({ pattern: ID_PATTERN, description }));

/** Checks a box id. */
export const BoxIdSchema = id<BoxId>("name of the edge box");
/** Checks a link id. */
export const LinkIdSchema = id<LinkId>("name of a cable or socket with its drives");
/** Checks an axis id. */
export const AxisIdSchema = id<AxisId>("name of an axis");
/** Checks a group id. */
export const GroupIdSchema = id<GroupId>("name of a group of axes");
/** Checks a command id. */
export const CommandIdSchema = Type.Unsafe<CommandId>(Type.String({ pattern: UUID_PATTERN }));

/** The streams of the event log: category before the first dash (`axis-x1`, `link-line_a`, `box-press_line_1`). */
export type StreamName = `axis-${string}` | `link-${string}` | `box-${string}` | `run-${string}`;

/** The stream of an axis. */
export const axisStream = (axis: AxisId): StreamName => `axis-${axis}`;
/** The stream of a link. */
export const linkStream = (link: LinkId): StreamName => `link-${link}`;
/** The stream of the box itself. */
export const boxStream = (box: BoxId): StreamName => `box-${box}`;

/** The stream of a run of a program. */
export const runStream = (runId: string): StreamName => `run-${runId}`;

/** The id behind the category of a stream name. */
export const streamSubject = (stream: string): string => stream.slice(stream.indexOf("-") + 1);

/** Writes a position of one log. */
export const logPosition = (logId: string, position: number): LogPosition => `${logId}.${position}` as LogPosition;

/** Splits `<logId>.<n>`; undefined when it is not one. */
export function parseLogPosition(text: string): { logId: string; position: number } | undefined {
  const match = /^([0-9a-z_-]{1,64})\.(0|[1-9][0-9]{0,15})$/i.exec(text);
  return match?.[1] && match[2] ? { logId: match[1], position: Number(match[2]) } : undefined;
}
