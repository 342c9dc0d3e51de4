import { readFileSync } from "node:fs";
import { dirname, resolve } from "node:path";
import type { FleetConfig } from "@servofleet/contracts";
import { complaintLine, FleetFileError, parseFleet } from "@servofleet/runtime/fleet-file";
import { checkDocument } from "@servofleet/runtime/schema-complaints";
import { parse, stringify } from "yaml";
import type { Reach } from "./amount.ts";
import { RigError } from "./rig-error.ts";

/** What a rig file can allow on real drives. On simulated ones everything is allowed. */
export const PERMITS = ["motion", "homing", "beyond-reach", "faults", "power-cycle", "processes"] as const;
export type Permit = (typeof PERMITS)[number];

/** How a link of the rig is made. */
export interface RigLink {
  readonly id: string;
  readonly drives: "simulated" | "real";
  /** More of the simulated line, as `servofleet sim` reads it (`replyMs`, ...). */
  readonly sim: Readonly<Record<string, unknown>>;
}

/** What a rig says of an axis beside its fleet configuration. */
export interface RigAxis {
  readonly id: string;
  /** The stretch that scenarios use; percentages count in it. */
  readonly reach: Reach;
  /** The simulated drive (`model`, `plant`, `quirks`); the model defaults to the profile's name. */
  readonly sim: Readonly<Record<string, unknown>>;
}

/** A rig file, checked. `fleet` is what the gateway gets, with the simulated links' places still open. */
export interface Rig {
  readonly id: string;
  readonly title: string;
  readonly file: string;
  readonly gateway: { readonly url: string; readonly control: string | null } | null;
  readonly permit: readonly Permit[];
  readonly links: readonly RigLink[];
  readonly axes: readonly RigAxis[];
  readonly fleet: FleetConfig;
}

type Entry = Readonly<Record<string, unknown>>;

const url = { type: "string", pattern: "^https?://[^ ]+$" };
const range = {
  type: "object",
  properties: { min: { type: "number" }, max: { type: "number" } },
  required: ["min", "max"],
};
const list = (properties: object, required: readonly string[] = []) => ({
  type: "array",
  items: { type: "object", properties, required },
  minItems: 1,
  maxItems: 64,
});

/** The words that a rig has and a fleet has not. */
const rigSchema = {
  type: "object",
  properties: {
    rig: { type: "string", pattern: "^[a-z0-9_]{1,64}$", description: "lower case, digits, underscore" },
    title: { type: "string", minLength: 1 },
    gateway: { type: "object", properties: { url, control: url }, required: ["url"] },
    permit: { type: "array", items: { enum: [...PERMITS] }, maxItems: 16, default: [] },
    links: list({ drives: { enum: ["simulated", "real"] } }, ["drives"]),
    axes: list({ reach: range }),
  },
  required: ["rig", "links", "axes"],
};

const isEntry = (value: unknown): value is Entry =>
  typeof value === "object" && value !== null && !Array.isArray(value);
const entries = (value: unknown): readonly Entry[] => (Array.isArray(value) ? value.filter(isEntry) : []);
const pick = (entry: Entry, names: readonly string[]): Entry =>
  Object.fromEntries(Object.entries(entry).filter(([name]) => names.includes(name)));
const omit = (entry: Entry, names: readonly string[]): Entry =>
  Object.fromEntries(Object.entries(entry).filter(([name]) => !names.includes(name)));

const LINK_WORDS = ["drives", "sim"];
const AXIS_WORDS = ["reach", "sim"];
const FLEET_WORDS = ["links", "axes", "groups"];

/** Reads and checks a rig file. @throws RigError `wrong-usage` with every complaint at once; nothing was started */
export function readRig(file: string): Rig {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (error) {
    const cause = (error as NodeJS.ErrnoException).code ?? "unknown";
    throw wrong(file, [`cannot be read (${cause}); the rigs that ship are in hil-tests/rig/rigs`]);
  }
  return parseRig(text, file);
}

/** As `readRig`, for text at hand; `file` is for messages and relative paths. */
export function parseRig(text: string, file: string): Rig {
  const raw = parseYaml(text, file);
  const words = {
    ...omit(raw, FLEET_WORDS),
    links: Array.isArray(raw["links"]) ? entries(raw["links"]).map((link) => pick(link, ["drives"])) : raw["links"],
    axes: Array.isArray(raw["axes"]) ? entries(raw["axes"]).map((axis) => pick(axis, ["reach"])) : raw["axes"],
  };
  const { value, complaints } = checkDocument(rigSchema, words);
  const lines = complaints.map(complaintLine);
  const { fleet, complaints: fleetLines } = checkFleet(raw, file);
  if (!fleet || lines.length + fleetLines.length > 0) throw wrong(file, [...lines, ...fleetLines]);
  const said = value as { rig: string; title?: string; gateway?: { url: string; control?: string }; permit: Permit[] };
  const rig: Rig = {
    id: said.rig,
    title: said.title ?? said.rig,
    file,
    gateway: said.gateway ? { url: said.gateway.url.replace(/\/$/, ""), control: said.gateway.control ?? null } : null,
    permit: said.permit,
    links: entries(raw["links"]).map((link, n) => ({
      id: fleet.links[n]?.id ?? "",
      drives: link["drives"] as RigLink["drives"],
      sim: isEntry(link["sim"]) ? link["sim"] : {},
    })),
    axes: entries(raw["axes"]).map((axis, n) => rigAxis(axis, fleet.axes[n])),
    fleet,
  };
  const outside = rig.axes.flatMap((axis, n) => reachTrouble(axis, fleet.axes[n], n));
  if (outside.length > 0) throw wrong(file, outside);
  return rig;
}

function rigAxis(axis: Entry, config: FleetConfig["axes"][number] | undefined): RigAxis {
  const { min = 0, max = 0 } = config?.limits ?? {};
  const sim = isEntry(axis["sim"]) ? axis["sim"] : {};
  return { id: config?.id ?? "", reach: (axis["reach"] as Reach | undefined) ?? { min, max }, sim };
}

function reachTrouble({ reach }: RigAxis, config: FleetConfig["axes"][number] | undefined, n: number): string[] {
  const { min = 0, max = 0 } = config?.limits ?? {};
  if (reach.min >= min && reach.max <= max && reach.min < reach.max) return [];
  return [
    `axes[${n}].reach: found ${reach.min} to ${reach.max}; allowed: a stretch within the limits ${min} to ${max}`,
  ];
}

/** The fleet part goes through the product's own check, so a rig and a fleet complain alike. */
function checkFleet(raw: Entry, file: string): { fleet: FleetConfig | undefined; complaints: readonly string[] } {
  const links = Array.isArray(raw["links"]) ? entries(raw["links"]).map(fleetLink) : raw["links"];
  const axes = Array.isArray(raw["axes"]) ? entries(raw["axes"]).map((axis) => omit(axis, AXIS_WORDS)) : raw["axes"];
  const rigId = typeof raw["rig"] === "string" && /^[a-z0-9_]{1,64}$/.test(raw["rig"]) ? raw["rig"] : "rig";
  const groups = raw["groups"] === undefined ? {} : { groups: raw["groups"] };
  try {
    const text = stringify({ box: rigId, http: { port: 0 }, links, axes, ...groups });
    return { fleet: parseFleet(text, resolve(file)), complaints: [] };
  } catch (error) {
    if (!(error instanceof FleetFileError)) throw error;
    const lines = error.complaints.map(complaintLine);
    return { fleet: undefined, complaints: lines.length > 0 ? lines : [error.hint] };
  }
}

/** The place of a simulated link is chosen when it is opened; until then the fleet carries one that nobody can open. */
function fleetLink(link: Entry, n: number): Entry {
  const bare = omit(link, LINK_WORDS);
  if (link["drives"] !== "simulated") return bare;
  const overTcp = typeof link["kind"] === "string" && link["kind"].endsWith("tcp");
  return { ...bare, ...(overTcp ? { host: "127.0.0.1", port: n + 1 } : { port: `/nowhere/${String(link["id"])}` }) };
}

function parseYaml(text: string, file: string): Entry {
  try {
    const raw: unknown = parse(text);
    if (isEntry(raw)) return raw;
  } catch (error) {
    throw wrong(file, [`is not YAML: ${error instanceof Error ? error.message : String(error)}`]);
  }
  throw wrong(file, ["is no mapping"]);
}

const wrong = (file: string, lines: readonly string[]): RigError =>
  new RigError(
    "wrong-usage",
    `${file} cannot be run:\n  ${lines.join("\n  ")}`,
    { file, complaints: lines },
    "correct what is named; nothing was started and nothing moved",
  );

/** Where paths of the file start. */
export const rigDirectory = (rig: Rig): string => dirname(resolve(rig.file));
