import { PROBLEMS } from "@servofleet/contracts";
import type { TProperties } from "typebox";
import { CAPTURE_PATHS } from "./capture-operation.ts";
import { HEALTH_PATHS } from "./health-operations.ts";
import { LEASE_PATHS } from "./lease-operations.ts";
import { PROGRAM_PATHS } from "./program-operations.ts";
import { QUERY } from "./query-schema.ts";
import type { ReadRoute } from "./read-route.ts";
import { RESPONSES } from "./response-schema.ts";
import { WRITE_ROUTES, type WriteRoute } from "./write-route-table.ts";

/** `/v1/axes/:axis` as OpenAPI writes it. */
const templated = (path: string) => path.replace(/:([a-z]+)/gi, "{$1}");
const paramsOf = (path: string) =>
  [...path.matchAll(/:([a-z]+)/gi)].map(([, name]) => ({
    name,
    in: "path",
    required: true,
    schema: { type: "string" },
  }));
const nameOf = (method: string, path: string) =>
  `${method}${path.replace(/^\/v1/, "").replace(/[/:.]+([a-z])/gi, (_, letter: string) => letter.toUpperCase())}`;

const content = (schema: string, type = "application/json") => ({
  [type]: { schema: { $ref: `#/components/schemas/${schema}` } },
});
const problemAnswers = (statuses: readonly number[]) =>
  Object.fromEntries(
    statuses.map((status) => [
      status,
      {
        description: Object.entries(PROBLEMS)
          .filter(([, problem]) => problem.status === status)
          .map(([slug]) => slug)
          .join(", "),
        content: content("Problem", "application/problem+json"),
      },
    ]),
  );

const READ_HEADERS = {
  "X-Position": { description: "log position the answer speaks of", schema: { type: "string" } },
  "X-Lag-Ms": { description: "how long the read model has been behind the log", schema: { type: "integer" } },
};

function readOperation(route: ReadRoute) {
  const query = Object.entries(QUERY[route.query].properties as TProperties).map(([name, schema]) => ({
    name,
    in: "query",
    required: false,
    schema,
  }));
  const type = route.stream ? "text/event-stream" : "application/json";
  const etag = { ETag: { description: "version of the axis, for If-Match", schema: { type: "string" } } };
  return {
    operationId: nameOf("get", route.path),
    summary: route.summary,
    tags: [route.stream ? "streams" : "reads"],
    parameters: [...paramsOf(route.path), ...query],
    responses: {
      200: {
        description: route.summary,
        headers: route.stream ? {} : { ...READ_HEADERS, ...(route.answers === "Axis" && etag) },
        content: content(route.answers, type),
      },
      ...problemAnswers([400, ...route.problems, 503]),
    },
  };
}

function writeOperation(route: WriteRoute) {
  const headers = route.headers.map((name) => ({ name, in: "header", required: false, schema: { type: "string" } }));
  const answers = Object.entries(route.answers).map(([status, schema]) => [
    status,
    { description: route.summary, ...(schema === null ? {} : { content: content(schema) }) },
  ]);
  return {
    operationId: nameOf(route.method, route.path),
    summary: route.summary,
    tags: ["writes"],
    parameters: [...paramsOf(route.path), ...headers],
    ...(route.body && { requestBody: { required: true, content: { "application/json": { schema: route.body } } } }),
    responses: { ...Object.fromEntries(answers), ...problemAnswers(route.problems) },
  };
}

/** The OpenAPI 3.1 document, from the same tables and schemas that the server runs on. */
export function openapiDocument(routes: readonly ReadRoute[], version: string) {
  const paths: Record<string, Record<string, unknown>> = {};
  for (const route of routes) paths[templated(route.path)] = { get: readOperation(route) };
  for (const route of WRITE_ROUTES) {
    const path = templated(route.path);
    paths[path] = { ...paths[path], [route.method]: writeOperation(route) };
  }
  for (const [path, operation] of Object.entries({ ...LEASE_PATHS, ...PROGRAM_PATHS }))
    paths[path] = { ...operation, ...paths[path] };
  return {
    openapi: "3.1.0",
    info: {
      title: "Servofleet",
      version,
      description: "Motion commands in, what really happened out. The software stop is not a safety function.",
      license: { name: "Apache-2.0", identifier: "Apache-2.0" },
    },
    servers: [{ url: "/" }],
    tags: [{ name: "reads" }, { name: "streams" }, { name: "writes" }, { name: "health" }],
    paths: { ...paths, ...CAPTURE_PATHS, ...HEALTH_PATHS },
    components: { schemas: RESPONSES },
  };
}
export type OpenapiDocument = ReturnType<typeof openapiDocument>;
