import { COMMAND_SCHEMAS } from "@servofleet/contracts";
import Type, { type TSchema } from "typebox";
import type { SchemaName } from "./response-schema.ts";

/** One write, which the controller answers; here only so that one document describes the whole API. */
export interface WriteRoute {
  readonly method: "post" | "delete";
  readonly path: string;
  readonly summary: string;
  readonly body: TSchema | null;
  readonly headers: readonly string[];
  readonly answers: Readonly<Record<string, SchemaName>>;
  readonly problems: readonly number[];
}

const strict = { additionalProperties: false } as const;
const MOTION_HEADERS = ["Idempotency-Key", "If-Match", "Prefer", "traceparent"];
const STOPPED = { "200": "StopResult", "202": "StopResult" } as const;
const stop = (path: string, what: string): WriteRoute => ({
  method: "post",
  path,
  summary: `Stop ${what}: to the wire first, then to the log. Not a safety function.`,
  body: null,
  headers: [],
  answers: STOPPED,
  problems: [404],
});

/** The writes that exist. */
export const WRITE_ROUTES: readonly WriteRoute[] = [
  {
    method: "post",
    path: "/v1/axes/:axis/commands",
    summary: "Command an axis; 202 only after the command is on disk, with `Prefer: wait=S` 200 at its end",
    body: Type.Union(Object.values(COMMAND_SCHEMAS)),
    headers: MOTION_HEADERS,
    answers: { "202": "Accepted", "200": "Command" },
    problems: [400, 404, 409, 412, 413, 415, 422, 429, 503],
  },
  stop("/v1/axes/:axis/stop", "one axis"),
  stop("/v1/groups/:group/stop", "every axis of a group"),
  stop("/v1/links/:link/stop", "every axis of a link"),
  stop("/v1/stop", "every axis"),
  {
    method: "delete",
    path: "/v1/commands/:id",
    summary: "Cancel a command that has not been sent",
    body: null,
    headers: [],
    answers: { "200": "Command" },
    problems: [404, 409, 429, 503],
  },
  {
    method: "post",
    path: "/v1/axes/:axis/reconcile",
    summary: "Decide what an axis found moving, or an open outcome, is after a restart",
    body: Type.Object({ decision: Type.Union([Type.Literal("adopt"), Type.Literal("abandon")]) }, strict),
    headers: [],
    answers: { "200": "Reconciled" },
    problems: [400, 404, 409, 413, 415, 429, 503],
  },
  {
    method: "post",
    path: "/v1/alarms/:id/acknowledge",
    summary: "Acknowledge an alarm (ISA-18.2)",
    body: null,
    headers: [],
    answers: { "200": "Recorded" },
    problems: [400, 404, 413, 415, 429, 503],
  },
  {
    method: "post",
    path: "/v1/alarms/:id/shelve",
    summary: "Shelve an alarm for a time (ISA-18.2)",
    body: Type.Object({ until: Type.String({ format: "date-time" }), reason: Type.String({ maxLength: 500 }) }, strict),
    headers: [],
    answers: { "200": "Recorded" },
    problems: [400, 404, 413, 415, 429, 503],
  },
];
