import type { SchemaName } from "./response-schema.ts";

const json = (schema: SchemaName) => ({ "application/json": { schema: { $ref: `#/components/schemas/${schema}` } } });
const problem = (description: string) => ({
  description,
  content: { "application/problem+json": { schema: { $ref: "#/components/schemas/Problem" } } },
});
/** A read of the controller's memory; the path's own names are `params`. */
export const controllerRead = (
  operationId: string,
  summary: string,
  schema: SchemaName,
  params: readonly string[] = [],
): { readonly get: object } => ({
  get: {
    operationId,
    summary,
    tags: ["reads"],
    parameters: params.map((name) => ({ name, in: "path", required: true, schema: { type: "string" } })),
    responses: {
      200: { description: summary, content: json(schema) },
      ...(params.length === 0 ? {} : { 404: problem("not-found") }),
      429: problem("rate-limited"),
      503: problem("service-unavailable"),
    },
  },
});

/** Leases as OpenAPI paths: reads that the controller answers, since control lives in its memory alone. */
export const LEASE_PATHS: Readonly<Record<string, { readonly get: object }>> = {
  "/v1/leases": controllerRead("getLeases", "Who controls which axes now", "LeaseList"),
  "/v1/leases/{lease}": controllerRead("getLeasesLease", "One lease, without its token", "Lease", ["lease"]),
};
