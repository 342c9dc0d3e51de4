import type { FleetConfig } from "@servofleet/contracts";
import type { Clock } from "@servofleet/runtime/clock";
import type { FastifyReply, FastifyRequest } from "fastify";
import type { LiveValues } from "../live/live-values.ts";
import type { ProjectionName, ReadModel } from "../read-model/read-model.ts";
import type { TimeTravel } from "../read-model/time-travel.ts";
import type { TelemetrySource } from "../telemetry/telemetry-source.ts";
import type { QueryName, ReadQuery } from "./query-schema.ts";
import type { SchemaName } from "./response-schema.ts";

/** Everything a route may ask. */
export interface ReadServices {
  readonly model: ReadModel;
  readonly live: LiveValues;
  readonly past: TimeTravel;
  readonly telemetry: TelemetrySource;
  readonly config: FleetConfig;
  readonly clock: Clock;
}

export interface Asked {
  readonly query: ReadQuery;
  readonly params: Readonly<Record<string, string>>;
}

/** A finished answer; `json` is sent as it is. */
export interface Answer {
  readonly json: string;
  /** The past moment it speaks of; absent for now. */
  readonly position?: number;
  readonly etag?: string;
}

/** One row of the table that the server, the OpenAPI document and the 405 answers are made from. */
export interface ReadRoute {
  /** As Fastify writes it: `/v1/axes/:axis`. */
  readonly path: string;
  readonly summary: string;
  readonly query: QueryName;
  readonly answers: SchemaName;
  /** Projections the answer is made from: their position and lag go with it. */
  readonly uses: readonly ProjectionName[];
  /** Problems it can answer beside the ones every read can. */
  readonly problems: readonly number[];
  readonly answer?: (asked: Asked) => Answer | Promise<Answer>;
  /** Takes the connection over (SSE). */
  readonly stream?: (request: FastifyRequest, reply: FastifyReply) => Promise<void>;
}

export const json = (body: unknown): Answer => ({ json: JSON.stringify(body) });
