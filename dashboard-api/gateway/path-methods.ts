import type { ProblemFacts } from "@servofleet/contracts";
import { WRITE_ROUTES } from "../http/write-route-table.ts";

/** What can be read, beside the streams. The OpenAPI document is held against this table by a test. */
const READ_PATHS = [
  "/v1/axes",
  "/v1/axes/:axis",
  "/v1/axes/:axis/telemetry",
  "/v1/axes/:axis/black-box",
  "/v1/groups",
  "/v1/links",
  "/v1/links/:link",
  "/v1/links/:link/capture",
  "/v1/leases",
  "/v1/leases/:lease",
  "/v1/programs",
  "/v1/programs/:program",
  "/v1/runs",
  "/v1/runs/:id",
  "/v1/commands",
  "/v1/commands/:id",
  "/v1/alarms",
  "/v1/events",
  "/problems/:slug",
  "/livez",
  "/readyz",
  "/metrics",
  "/openapi.json",
  "/asyncapi.json",
  "/docs",
  "/",
];
const STREAM_PATHS = ["/v1/events/stream", "/v1/live"];

const PLAN: readonly { readonly pattern: RegExp; readonly methods: readonly string[] }[] = [
  ...READ_PATHS.map((path) => ({ path, methods: ["GET", "HEAD"] })),
  ...STREAM_PATHS.map((path) => ({ path, methods: ["GET"] })),
  ...WRITE_ROUTES.map(({ path, method }) => ({ path, methods: [method.toUpperCase()] })),
].map(({ path, methods }) => ({
  pattern: new RegExp(`^${path.replaceAll(".", "\\.").replace(/:[a-z]+/g, "[^/]+")}${path === "/" ? "" : "/?"}$`),
  methods,
}));

/**
 * The methods of a path; none when there is nothing. Known here, since reads and writes of one path lie with two
 * services and neither could name the other's in `Allow` (RFC 9110, 15.5.6).
 */
export const methodsOf = (path: string): readonly string[] =>
  PLAN.flatMap(({ pattern, methods }) => (pattern.test(path) ? methods : []));

/** What to say to a method that a path does not take; undefined when it does, or when there is no such path. */
export function wrongMethod(
  method: string,
  path: string,
): { readonly facts: ProblemFacts; readonly allow: string } | undefined {
  const methods = methodsOf(path);
  if (methods.length === 0 || methods.includes(method)) return undefined;
  const allow = methods.join(", ");
  return {
    facts: { slug: "method-not-allowed", detail: `${method} is not for this path`, remedy: `it takes ${allow}` },
    allow,
  };
}
