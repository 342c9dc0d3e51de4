import Type, { type Static } from "typebox";
import { AxisIdSchema, BoxIdSchema, GroupIdSchema, LinkIdSchema } from "./ids.ts";

/** Strict object: a foreign field is an error, never ignored. */
const strict = { additionalProperties: false } as const;

/** Modbus over serial line v1.02, 2.5.1.1; drives that need less are driven faster by declaring it. */
const SilenceSchema = Type.Union([Type.Literal("strict"), Type.Integer({ minimum: 0, maximum: 100_000 })], {
  description:
    "least silence before a frame, microseconds, if every drive of the line is declared to need no more; strict (also when absent): 3.5 characters, 1750 above 19200 baud",
});
const LocalEchoSchema = Type.Boolean({
  description: "the adapter hears what it sends (RS-485 without echo suppression): the echo is checked and cut off",
});
const KeepAwakeSchema = Type.Boolean({
  description:
    "no core of the box sleeps while its bridge runs (PM QoS, /dev/cpu_dma_latency, where the bridge may open it): a fast line gains some percent, the cores draw full power",
});

const RtuLinkSchema = Type.Object(
  {
    id: LinkIdSchema,
    kind: Type.Literal("modbus-rtu"),
    port: Type.String({ minLength: 1, description: "serial device, best by /dev/serial/by-id" }),
    baud: Type.Integer({ minimum: 1200, maximum: 4_000_000, default: 38400 }),
    parity: Type.Union([Type.Literal("none"), Type.Literal("even"), Type.Literal("odd")], { default: "none" }),
    stopBits: Type.Union([Type.Literal(1), Type.Literal(2)], { default: 1 }),
    /** Cap of any reply time-out on this line: it bounds how long a stop can wait behind a dead drive. */
    stopWaitMaxMs: Type.Number({ minimum: 5, maximum: 1000, default: 50 }),
    silenceUs: Type.Optional(SilenceSchema),
    localEcho: Type.Optional(LocalEchoSchema),
    keepAwake: Type.Optional(KeepAwakeSchema),
  },
  strict,
);

const TcpLinkSchema = Type.Object(
  {
    id: LinkIdSchema,
    kind: Type.Literal("modbus-tcp"),
    host: Type.String({ minLength: 1 }),
    port: Type.Integer({ minimum: 1, maximum: 65535, default: 502 }),
    stopWaitMaxMs: Type.Number({ minimum: 5, maximum: 1000, default: 50 }),
    inFlightMax: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: 16,
        description: "requests on the way at once, 1 when absent; more only where the server takes them side by side",
      }),
    ),
  },
  strict,
);

const RtuOverTcpLinkSchema = Type.Object(
  {
    id: LinkIdSchema,
    kind: Type.Literal("modbus-rtu-over-tcp"),
    host: Type.String({ minLength: 1 }),
    port: Type.Integer({ minimum: 1, maximum: 65535, description: "raw port of the serial device server" }),
    baud: Type.Integer({
      minimum: 1200,
      maximum: 4_000_000,
      default: 38400,
      description: "speed of the serial line behind the server: it prices the line and bounds its time-outs",
    }),
    stopWaitMaxMs: Type.Number({ minimum: 5, maximum: 1000, default: 50 }),
  },
  strict,
);

/** A servo bus: 8 data bits, no parity, one stop bit, half duplex. */
const servoBus = <Kind extends string>(kind: Kind, baud: number) =>
  Type.Object(
    {
      id: LinkIdSchema,
      kind: Type.Literal(kind),
      port: Type.String({ minLength: 1, description: "serial device, best by /dev/serial/by-id" }),
      baud: Type.Integer({ minimum: 9600, maximum: 4_500_000, default: baud }),
      stopWaitMaxMs: Type.Number({ minimum: 5, maximum: 1000, default: 50 }),
    },
    strict,
  );
/** Factory speeds: Dynamixel X 57600 (register 8 = 1), Feetech STS 1,000,000 (register 6 = 0). */
const DynamixelLinkSchema = servoBus("dynamixel", 57_600);
const FeetechLinkSchema = servoBus("feetech", 1_000_000);

/** A cable or socket, told apart by `kind`. */
export const LinkConfigSchema = Type.Union([
  RtuLinkSchema,
  TcpLinkSchema,
  RtuOverTcpLinkSchema,
  DynamixelLinkSchema,
  FeetechLinkSchema,
]);
/** Any kind of link. */
export type LinkConfig = Static<typeof LinkConfigSchema>;
/** A serial line that speaks Modbus RTU. */
export type RtuLinkConfig = Static<typeof RtuLinkSchema>;
/** A Modbus TCP server. */
export type TcpLinkConfig = Static<typeof TcpLinkSchema>;
/** Modbus RTU frames in a TCP stream, through a serial device server. */
export type RtuOverTcpLinkConfig = Static<typeof RtuOverTcpLinkSchema>;
/** A serial servo bus. */
export type ServoLinkConfig = Static<typeof DynamixelLinkSchema> | Static<typeof FeetechLinkSchema>;

/** One axis: where it is, what drives it, how far it may go. */
export const AxisConfigSchema = Type.Object(
  {
    id: AxisIdSchema,
    link: LinkIdSchema,
    unit: Type.Integer({
      minimum: 0,
      maximum: 255,
      description: "Modbus unit id (1 to 247; TCP drives often 255 or 0)",
    }),
    profile: Type.String({ minLength: 1, description: "name in firmware-bridge/profiles, or a path to your own file" }),
    unitName: Type.String({ minLength: 1, maxLength: 16, default: "mm" }),
    countsPerUnit: Type.Number({ description: "drive counts per one unit, not 0; the sign turns the direction" }),
    limits: Type.Object(
      {
        min: Type.Number({ description: "lowest machine position, units" }),
        max: Type.Number({ description: "highest machine position, units" }),
        velocity: Type.Number({ exclusiveMinimum: 0, description: "units/s" }),
        acceleration: Type.Number({ exclusiveMinimum: 0, description: "units/s2, also for decelerations" }),
        torque: Type.Number({ exclusiveMinimum: 0, maximum: 400, default: 100, description: "% of rated" }),
      },
      strict,
    ),
    homing: Type.Object(
      {
        required: Type.Boolean({ default: true }),
        method: Type.Integer({ minimum: -128, maximum: 127, default: 17, description: "CiA 402 homing method" }),
        velocity: Type.Number({ exclusiveMinimum: 0, default: 10, description: "units/s" }),
        offset: Type.Number({ default: 0, description: "machine position at the home switch, units" }),
      },
      { ...strict, default: {} },
    ),
    poll: Type.Object(
      {
        movingMs: Type.Integer({ minimum: 2, maximum: 60_000, default: 20 }),
        idleMs: Type.Integer({ minimum: 5, maximum: 60_000, default: 200 }),
      },
      { ...strict, default: {} },
    ),
    onShutdown: Type.Union([Type.Literal("stop"), Type.Literal("finish"), Type.Literal("leave")], { default: "stop" }),
    onRestartMoving: Type.Union([Type.Literal("stop"), Type.Literal("observe")], { default: "stop" }),
    onControllerLost: Type.Union([Type.Literal("stop"), Type.Literal("finish")], { default: "stop" }),
    /** Allows MoveVelocity on a drive without a communication watchdog: it keeps running when the master dies. */
    allowUnboundedMoves: Type.Boolean({ default: false }),
  },
  strict,
);
/** A checked axis with its defaults. */
export type AxisConfig = Static<typeof AxisConfigSchema>;

/** Axes that are stopped together by one name. */
export const GroupConfigSchema = Type.Object(
  { id: GroupIdSchema, axes: Type.Array(AxisIdSchema, { minItems: 1, maxItems: 256 }) },
  strict,
);
/** A checked group. */
export type GroupConfig = Static<typeof GroupConfigSchema>;

/** What stays in the log's hot file, and how often the chain is signed. Older events are in sealed archives and stay readable. */
export const LogConfigSchema = Type.Object(
  {
    keepDays: Type.Integer({ minimum: 7, maximum: 3650, default: 30, description: "days an event stays at least" }),
    keepEvents: Type.Integer({
      minimum: 10_000,
      maximum: 100_000_000,
      default: 1_000_000,
      description: "events that stay at most, once they are older than 7 days",
    }),
    archiveEvents: Type.Integer({ minimum: 1000, maximum: 1_000_000, default: 100_000, description: "per archive" }),
    checkpointEvents: Type.Integer({ minimum: 100, maximum: 1_000_000, default: 10_000 }),
    checkpointMs: Type.Integer({ minimum: 1000, maximum: 86_400_000, default: 600_000 }),
  },
  strict,
);
/** Checked log settings with their defaults. */
export type LogConfig = Static<typeof LogConfigSchema>;

/** The whole of `fleet.yaml`. Defaults are filled in by the loader before this type is handed on. */
export const FleetConfigSchema = Type.Object(
  {
    box: BoxIdSchema,
    data: Type.String({ minLength: 1, default: "./data", description: "data directory, relative to the file" }),
    http: Type.Object(
      {
        host: Type.String({ minLength: 1, default: "127.0.0.1" }),
        port: Type.Integer({ minimum: 0, maximum: 65535, default: 8080 }),
      },
      { ...strict, default: {} },
    ),
    messaging: Type.String({ pattern: "^(embedded|nats://.+)$", default: "embedded" }),
    links: Type.Array(LinkConfigSchema, { minItems: 1, maxItems: 64 }),
    axes: Type.Array(AxisConfigSchema, { minItems: 1, maxItems: 1024 }),
    groups: Type.Array(GroupConfigSchema, { maxItems: 256, default: [] }),
    /** Absent in configurations that were recorded before it existed. */
    log: Type.Optional(Type.Object(LogConfigSchema.properties, { ...strict, default: {} })),
  },
  { ...strict, $id: "fleet.schema.json" },
);
export type FleetConfig = Static<typeof FleetConfigSchema>;
