import {
  COMMAND_SCHEMAS,
  JogBeatSchema,
  JogRequestSchema,
  LeaseRequestSchema,
  ProgramSchema,
  TakeRequestSchema,
} from "@servofleet/contracts";
import Type, { type TSchema } from "typebox";
import type { SchemaName } from "./response-schema.ts";

/** One write, which the controller answers; here only so that one document describes the whole API. */
export interface WriteRoute {
  readonly method: "post" | "put" | "delete";
  readonly path: string;
  readonly summary: string;
  readonly body: TSchema | null;
  readonly headers: readonly string[];
  /** Null: an answer without a body. */
  readonly answers: Readonly<Record<string, SchemaName | null>>;
  readonly problems: readonly number[];
}

const strict = { additionalProperties: false } as const;
const LEASE_HEADER = ["Lease-Token"];
const MOTION_HEADERS = ["Idempotency-Key", "If-Match", "Prefer", "traceparent", ...LEASE_HEADER];
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

const programWord = (what: string, summary: string): WriteRoute => ({
  method: "post",
  path: `/v1/programs/:program/${what}`,
  summary,
  body: null,
  headers: [],
  answers: { "200": "Program" },
  problems: [400, 404, 409, 413, 415, 429, 503],
});
const runWord = (what: string, summary: string): WriteRoute => ({
  method: "post",
  path: `/v1/runs/:id/${what}`,
  summary,
  body: null,
  headers: [],
  answers: { "200": "RunWord" },
  problems: [400, 404, 409, 413, 415, 423, 429, 503],
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
    problems: [400, 404, 409, 412, 413, 415, 422, 423, 429, 503],
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
  {
    method: "post",
    path: "/v1/axes/:axis/jog",
    summary: "Press the button of hold-to-run: a move towards the soft limit that lives as long as beats come",
    body: JogRequestSchema,
    headers: LEASE_HEADER,
    answers: { "201": "Jog" },
    problems: [400, 404, 409, 413, 415, 422, 423, 429, 503],
  },
  {
    method: "put",
    path: "/v1/jog/:session",
    summary: "Hold it: at 10 Hz or faster, each beat with a greater number and the challenge of the answer before",
    body: JogBeatSchema,
    headers: [],
    answers: { "200": "Jog" },
    problems: [400, 403, 404, 410, 413, 415, 429, 503],
  },
  {
    method: "delete",
    path: "/v1/jog/:session",
    summary: "Let go: the axis is halted, not latched",
    body: null,
    headers: [],
    answers: { "204": null },
    problems: [404, 410, 429, 503],
  },
  {
    method: "post",
    path: "/v1/leases",
    summary: "Take control over axes: until it is given back or lapses, only its holder may move them",
    body: LeaseRequestSchema,
    headers: [],
    answers: { "201": "GrantedLease" },
    problems: [400, 404, 413, 415, 423, 429, 503],
  },
  {
    method: "put",
    path: "/v1/leases/:lease",
    summary: "Renew control; a third of its time to live is a good period",
    body: null,
    headers: LEASE_HEADER,
    answers: { "200": "Lease" },
    problems: [403, 404, 429, 503],
  },
  {
    method: "delete",
    path: "/v1/leases/:lease",
    summary: "Give control back; what runs runs on",
    body: null,
    headers: LEASE_HEADER,
    answers: { "204": null },
    problems: [403, 404, 429, 503],
  },
  {
    method: "post",
    path: "/v1/leases/:lease/take",
    summary: "Take control away from its holder, with a reason: what does not stand is stopped first",
    body: TakeRequestSchema,
    headers: [],
    answers: { "201": "GrantedLease" },
    problems: [400, 404, 413, 415, 429, 503],
  },
  {
    method: "post",
    path: "/v1/programs",
    summary: "Define a program: a saga over several axes; the same document again is answered 200",
    body: ProgramSchema,
    headers: [],
    answers: { "201": "Program", "200": "Program" },
    problems: [400, 413, 415, 429, 503],
  },
  {
    method: "post",
    path: "/v1/programs/:program/runs",
    summary: "Start a run; 202 only after it and the commands of its first steps are on disk",
    body: null,
    headers: ["Idempotency-Key"],
    answers: { "202": "StartedRun" },
    problems: [400, 404, 409, 413, 415, 422, 423, 429, 503],
  },
  {
    method: "post",
    path: "/v1/programs/:program/dry-run",
    summary: "What would keep a run back, without touching a bus",
    body: null,
    headers: [],
    answers: { "200": "DryRun" },
    problems: [400, 404, 413, 415, 429, 503],
  },
  programWord("arm", "Let its triggers start it, until a restart, any stop or a refused start"),
  programWord("disarm", "Let its triggers start it no more"),
  runWord("pause", "Begin no further step; what runs runs to its end"),
  runWord("resume", "Go on, or let an offered way back go ahead"),
  runWord("abort", "Halt the group and compensate; decline an offered way back"),
];
