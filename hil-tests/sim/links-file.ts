import { readFileSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { checkDocument } from "@servofleet/runtime/schema-complaints";
import { parse } from "yaml";
import type { WatchdogQuirks } from "./cia402-device.ts";
import type { IgusQuirks } from "./igus-drive.ts";
import type { KincoQuirks } from "./kinco-drive.ts";
import type { LeadshineQuirks } from "./leadshine-motion.ts";
import type { PlantConfig } from "./motor.ts";
import type { MrJeCQuirks } from "./mr-je-c-cycle.ts";
import type { OrientalQuirks } from "./oriental-motion.ts";
import { SimError } from "./sim-error.ts";

/** One simulated drive as LINKS.yaml names it. */
export interface DriveConfig {
  id: string;
  unit: number;
  model:
    | "leadshine-icl-rs"
    | "mitsubishi-mr-je-c"
    | "oriental-az"
    | "igus-dryve-d1"
    | "kinco-fd"
    | "cia402-modbus"
    | "dynamixel-x"
    | "feetech-sts3215"
    | "register-servo";
  /** Differences from the model's own bench plant. */
  plant?: Partial<PlantConfig>;
  /** Differences from the model's defaults where no manual settles the behaviour. */
  quirks?: Partial<LeadshineQuirks & MrJeCQuirks & WatchdogQuirks & IgusQuirks & KincoQuirks & OrientalQuirks>;
}

/** One simulated line or port. */
export type LinkConfig =
  | { kind: "modbus-rtu"; id: string; path: string; baud: number; replyMs?: number; drives: readonly DriveConfig[] }
  | { kind: "modbus-tcp"; id: string; host: string; port: number; replyMs: number; drives: readonly DriveConfig[] }
  | RawTcpConfig
  | ServoBusConfig;

/** Modbus RTU behind a serial device server. */
export interface RawTcpConfig {
  kind: "modbus-rtu-over-tcp";
  id: string;
  host: string;
  port: number;
  baud: number;
  replyMs?: number;
  drives: readonly DriveConfig[];
}

/** A servo bus on a pty; `replyMs` is the servos' return delay. */
export interface ServoBusConfig {
  kind: "dynamixel" | "feetech";
  id: string;
  path: string;
  replyMs: number;
  drives: readonly DriveConfig[];
}

/** A whole LINKS.yaml; `control.port` 0 takes a free one. */
export interface SimConfig {
  control: { port: number };
  links: readonly LinkConfig[];
}

const id = { type: "string", pattern: "^[a-z0-9_]{1,64}$", description: "lower case, digits, underscore" };
const port = { type: "integer", minimum: 0, maximum: 65_535, default: 0 };
const number = { type: "number" };
const range = object({ negative: number, positive: number }, ["negative", "positive"]);

const plant = object({
  startAt: number,
  homeSwitch: object({ at: number, width: number }, ["at", "width"]),
  limitSwitches: range,
  hardStops: range,
  countsPerRevolution: { type: "integer", minimum: 1 },
  stiffness: { type: "number", minimum: 1, maximum: 1000 },
  feedForward: { type: "number", minimum: 0, maximum: 1 },
  ratedAcceleration: { type: "number", exclusiveMinimum: 0 },
  torqueMax: { type: "number", exclusiveMinimum: 0 },
  load: number,
  friction: number,
});

const milliseconds = { type: "number", minimum: 0, maximum: 60_000 };
const quirks = object({
  takeMs: milliseconds,
  insBehaviour: { enum: ["manual", "field"] },
  stopReadbackSticks: { type: "boolean" },
  duringHoming: { enum: ["ignore", "exception"] },
  followingErrorAlarm: { type: "integer", minimum: 1, maximum: 0xffff },
  feedbackCountsPerRevolution: { type: "integer", minimum: 1 },
  bootMs: milliseconds,
  velocityUnit: { type: "number", exclusiveMinimum: 0 },
  accelerationUnit: { type: "number", exclusiveMinimum: 0 },
  ackMs: milliseconds,
  modeDelayMs: milliseconds,
  transitionMs: milliseconds,
  faultReactionMs: milliseconds,
  haltResumes: { type: "boolean" },
  startWhileMoving: { enum: ["ignore", "takes-over"] },
  settleMs: milliseconds,
  deviationSteps: { type: "integer", minimum: 1 },
  memoryBusyMs: milliseconds,
  damagedFramesMax: { type: "integer", minimum: 1 },
  communicationTimeoutMs: milliseconds,
  homeHz: { type: "number", exclusiveMinimum: 0 },
  homeRate: { type: "number", exclusiveMinimum: 0 },
  watchdog: { enum: ["none", "telegram", "write"] },
  watchdogMs: milliseconds,
  ackHoldMs: milliseconds,
  modeStaleMs: milliseconds,
  shortAnswers: { type: "integer", minimum: 0 },
  enableInputLow: { type: "boolean" },
  homeFoundSticks: { type: "boolean" },
  acknowledges: { type: "boolean" },
});

const drive = object(
  {
    id,
    unit: { type: "integer", minimum: 0, maximum: 255 },
    model: {
      enum: [
        "leadshine-icl-rs",
        "mitsubishi-mr-je-c",
        "oriental-az",
        "igus-dryve-d1",
        "kinco-fd",
        "cia402-modbus",
        "dynamixel-x",
        "feetech-sts3215",
        "register-servo",
      ],
    },
    plant,
    quirks,
  },
  ["id", "unit", "model"],
);
const drives = { type: "array", items: drive, minItems: 1, maxItems: 64 };
const replyMs = { type: "number", minimum: 0, maximum: 60_000, description: "reply time; on RTU by the baud rate" };
const rtuLink = object(
  {
    kind: { const: "modbus-rtu" },
    id,
    path: { type: "string", minLength: 1 },
    baud: { type: "integer", minimum: 1200, maximum: 4_000_000, default: 38_400 },
    replyMs,
    drives,
  },
  ["kind", "id", "path", "drives"],
);
const tcpLink = object(
  {
    kind: { const: "modbus-tcp" },
    id,
    host: { type: "string", minLength: 1, default: "127.0.0.1" },
    port,
    replyMs: { ...replyMs, default: 0 },
    drives,
  },
  ["kind", "id", "drives"],
);
const rawTcpLink = object(
  {
    kind: { const: "modbus-rtu-over-tcp" },
    id,
    host: { type: "string", minLength: 1, default: "127.0.0.1" },
    port,
    baud: { type: "integer", minimum: 1200, maximum: 4_000_000, default: 38_400 },
    replyMs,
    drives,
  },
  ["kind", "id", "drives"],
);
const servoBus = (kind: ServoBusConfig["kind"]) =>
  object(
    {
      kind: { const: kind },
      id,
      path: { type: "string", minLength: 1 },
      replyMs: { ...replyMs, default: 0.5 },
      drives,
    },
    ["kind", "id", "path", "drives"],
  );
const schema = object(
  {
    control: { ...object({ port }), default: {} },
    links: {
      type: "array",
      items: { anyOf: [rtuLink, tcpLink, rawTcpLink, servoBus("dynamixel"), servoBus("feetech")] },
      minItems: 1,
      maxItems: 64,
    },
  },
  ["links"],
);

/** Reads and checks LINKS.yaml; line paths are relative to the file. Throws SimError `bad-links-file`. */
export function readLinksFile(file: string): SimConfig {
  let raw: unknown;
  try {
    raw = parse(readFileSync(file, "utf8"));
  } catch (cause) {
    throw new SimError("bad-links-file", { file, cause: String(cause) }, "name a readable YAML file");
  }
  const config = parseLinks(raw, file);
  const links = config.links.map((link) =>
    "path" in link ? { ...link, path: resolve(dirname(resolve(file)), link.path) } : link,
  );
  return { ...config, links };
}

/** Checks a document as LINKS.yaml; all complaints at once. Throws SimError `bad-links-file`. */
export function parseLinks(raw: unknown, file: string): SimConfig {
  const { value, complaints } = checkDocument(schema, raw);
  if (complaints.length > 0) throw new SimError("bad-links-file", { file, complaints }, "correct what is named");
  const config = value as SimConfig;
  const ids = [...config.links.map((link) => link.id), ...config.links.flatMap((l) => l.drives.map((d) => d.id))];
  const twice = [
    ...repeated(ids),
    ...repeated(config.links.flatMap((link) => ("path" in link ? [link.path] : []))),
    ...config.links.flatMap((link) => repeated(link.drives.map((d) => `unit ${d.unit} on ${link.id}`))),
  ];
  const strangers = config.links.flatMap((link) =>
    link.drives.filter((one) => !speaks(one.model, link.kind)).map((one) => `${one.model} on ${link.kind}`),
  );
  if (strangers.length > 0) {
    throw new SimError(
      "bad-links-file",
      { file, strangers },
      "servos go on a line of their own kind, drives on a Modbus line",
    );
  }
  if (twice.length > 0) throw new SimError("bad-links-file", { file, twice }, "ids, paths and units must differ");
  return config;
}

/** Whether a drive of this model understands a line of this kind. */
function speaks(model: DriveConfig["model"], kind: LinkConfig["kind"]): boolean {
  if (model === "dynamixel-x") return kind === "dynamixel";
  if (model === "feetech-sts3215") return kind === "feetech";
  return kind.startsWith("modbus");
}

function repeated(names: readonly string[]): string[] {
  return names.filter((name, n) => names.indexOf(name) !== n);
}

function object(properties: Record<string, object>, required: readonly string[] = []): object {
  return { type: "object", properties, required, additionalProperties: false };
}
