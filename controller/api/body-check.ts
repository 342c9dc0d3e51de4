import {
  COMMAND_SCHEMAS,
  COMMAND_TYPES,
  type CommandRequest,
  type CommandType,
  type ProblemFacts,
} from "@servofleet/contracts";
import { nearestSpelling } from "@servofleet/runtime/nearest-spelling";
import { type Complaint, checkDocument } from "@servofleet/runtime/schema-complaints";

/** Complaints that one answer carries. */
const ERRORS_MAX = 50;

/** JSON Pointer (RFC 6901) of a complaint's path. */
const pointerOf = (path: string): string =>
  path === ""
    ? ""
    : `/${path
        .replaceAll("~", "~0")
        .replaceAll("/", "~1")
        .replace(/\[(\d+)\]/g, "/$1")
        .replaceAll(".", "/")}`;

function inWords({ found, allowed, nearest }: Complaint): string {
  const meant = nearest === undefined ? "" : `; did you mean ${JSON.stringify(nearest)}?`;
  if (found === "an unknown field") {
    return `${found}${meant}${allowed ? ` (known: ${allowed})` : " (there are none here)"}`;
  }
  return `found ${found}, must be ${allowed}${meant}`;
}

function invalid(complaints: readonly Complaint[]): ProblemFacts {
  const errors = complaints
    .slice(0, ERRORS_MAX)
    .map((complaint) => ({ pointer: pointerOf(complaint.path), detail: inWords(complaint).slice(0, 500) }));
  const first = errors[0];
  const detail = first ? `${first.pointer || "the body"}: ${first.detail}` : "the body is not valid";
  return {
    slug: "validation-error",
    detail: detail.slice(0, 500),
    remedy: "correct the fields that are pointed at; /docs shows every body",
    errors,
  };
}

/** A body that is as its schema says, or what is wrong with it, all at once. */
export type Checked<T> = { readonly value: T } | { readonly problem: ProblemFacts };

/** Shape only: whether a number fits the axis is decided by the domain. */
export function checkBody<T>(schema: object, body: unknown): Checked<T> {
  const { value, complaints } = checkDocument(schema, body);
  // The schema the type was made from has just been walked.
  return complaints.length === 0 ? { value: value as T } : { problem: invalid(complaints) };
}

/** The body of `POST /v1/axes/{axis}/commands`. */
export function checkCommand(body: unknown): Checked<CommandRequest> {
  const type = typeof body === "object" && body !== null && "type" in body ? body.type : undefined;
  if (typeof type === "string" && (COMMAND_TYPES as readonly string[]).includes(type)) {
    return checkBody<CommandRequest>(COMMAND_SCHEMAS[type as CommandType], body);
  }
  const isObject = typeof body === "object" && body !== null && !Array.isArray(body);
  const found = JSON.stringify(isObject ? type : body)?.slice(0, 80) ?? "nothing";
  const nearest = typeof type === "string" ? nearestSpelling(type, COMMAND_TYPES) : undefined;
  const allowed = isObject ? `one of ${COMMAND_TYPES.join(", ")}` : "an object";
  return { problem: invalid([{ path: isObject ? "type" : "", found, allowed, nearest }]) };
}
