import { readFileSync } from "node:fs";
import { dirname, isAbsolute, resolve } from "node:path";
import { type FleetConfig, FleetConfigSchema } from "@servofleet/contracts";
import { LineCounter, parseDocument } from "yaml";
import { fleetComplaints } from "./fleet-complaints.ts";
import { type Complaint, checkDocument } from "./schema-complaints.ts";

/** A configuration that starts nothing. All complaints at once; `toString` of each is a line for a person. */
export class FleetFileError extends Error {
  override readonly name = "FleetFileError";
  readonly code: "unreadable" | "not-yaml" | "not-valid";
  readonly facts: { readonly file: string };
  readonly hint: string;
  readonly complaints: readonly Complaint[];
  constructor(code: FleetFileError["code"], file: string, hint: string, complaints: readonly Complaint[] = []) {
    super([`${file}: ${hint}`, ...complaints.map((complaint) => `  ${complaintLine(complaint)}`)].join("\n"));
    this.code = code;
    this.facts = { file };
    this.hint = hint;
    this.complaints = complaints;
  }
}

/** A look at the file that needs more than the file: `isSound` tells which paths may be read. */
export type FleetCheck = (config: FleetConfig, isSound: (path: string) => boolean) => readonly Complaint[];

/** `axes[0].limits.min: found "a", allowed a number; did you mean ...?` */
export const complaintLine = ({ path, found, allowed, nearest }: Complaint): string =>
  `${path || "the file"}: found ${found}; allowed: ${allowed}${nearest ? `; did you mean ${nearest}?` : ""}`;

/**
 * Reads, checks and completes `fleet.yaml`. Environment overrides: SERVOFLEET_PORT, SERVOFLEET_HOST, SERVOFLEET_DATA.
 * The data directory becomes absolute (relative to the file; an override is relative to the working directory).
 * @throws FleetFileError
 */
export function readFleetFile(
  file: string,
  env: Readonly<Record<string, string | undefined>> = {},
  checks: readonly FleetCheck[] = [],
): FleetConfig {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (error) {
    throw new FleetFileError(
      "unreadable",
      file,
      `cannot be read (${(error as NodeJS.ErrnoException).code ?? "unknown"}); name an existing fleet.yaml with --config`,
    );
  }
  return parseFleet(text, file, env, checks);
}

/** As `readFleetFile`, for text at hand; `file` is only for messages and for relative paths. */
export function parseFleet(
  text: string,
  file: string,
  env: Readonly<Record<string, string | undefined>> = {},
  checks: readonly FleetCheck[] = [],
): FleetConfig {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: true });
  const first = document.errors[0];
  if (first) throw new FleetFileError("not-yaml", file, `is not YAML: ${first.message.split("\n")[0]}`);
  const raw = withOverrides(document.toJS(), env);
  const { value, complaints } = checkDocument(FleetConfigSchema, raw);
  const isSound = soundBeside(complaints);
  const further = hasLists(value) ? [fleetComplaints, ...checks].flatMap((check) => check(value, isSound)) : [];
  const all = [...complaints, ...further];
  if (all.length > 0)
    throw new FleetFileError(
      "not-valid",
      file,
      `${all.length} thing${all.length === 1 ? " is" : "s are"} wrong; nothing was started`,
      all,
    );
  const config = value as FleetConfig;
  return { ...config, data: isAbsolute(config.data) ? config.data : resolve(dirname(resolve(file)), config.data) };
}

/** Far enough in shape that its items can be looked at one by one. */
const hasLists = (value: unknown): value is FleetConfig =>
  typeof value === "object" &&
  value !== null &&
  ["links", "axes", "groups"].every((list) => Array.isArray((value as Record<string, unknown>)[list]));

/** A part is sound when nothing is wrong with its shape, beneath it or around it; a field too many harms nothing else. */
const soundBeside =
  (complaints: readonly Complaint[]) =>
  (path: string): boolean =>
    !complaints.some(
      (complaint) =>
        (complaint.path === path || complaint.path.startsWith(`${path}.`) || path.startsWith(`${complaint.path}.`)) &&
        complaint.found !== "an unknown field",
    );

function withOverrides(raw: unknown, env: Readonly<Record<string, string | undefined>>): unknown {
  if (typeof raw !== "object" || raw === null) return raw;
  const { http, ...rest } = raw as Record<string, unknown>;
  const listen = { ...(typeof http === "object" && http !== null ? http : {}) } as Record<string, unknown>;
  if (env["SERVOFLEET_HOST"]) listen["host"] = env["SERVOFLEET_HOST"];
  if (env["SERVOFLEET_PORT"]) listen["port"] = Number(env["SERVOFLEET_PORT"]);
  const keepHttp = http !== undefined && (typeof http !== "object" || http === null) ? http : listen;
  return { ...rest, http: keepHttp, ...(env["SERVOFLEET_DATA"] ? { data: resolve(env["SERVOFLEET_DATA"]) } : {}) };
}
