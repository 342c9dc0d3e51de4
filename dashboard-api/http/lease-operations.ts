import type { SchemaName } from "./response-schema.ts";

const json = (schema: SchemaName) => ({ "application/json": { schema: { $ref: `#/components/schemas/${schema}` } } });
const problem = (description: string) => ({
  description,
  content: { "application/problem+json": { schema: { $ref: "#/components/schemas/Problem" } } },
});
const [all, one] = ["Who controls which axes now", "One lease, without its token"];

/** Leases as OpenAPI paths: reads that the controller answers, since control lives in its memory alone. */
export const LEASE_PATHS: Readonly<Record<string, { readonly get: object }>> = {
  "/v1/leases": {
    get: {
      operationId: "getLeases",
      summary: all,
      tags: ["reads"],
      parameters: [],
      responses: {
        200: { description: all, content: json("LeaseList") },
        429: problem("rate-limited"),
        503: problem("service-unavailable"),
      },
    },
  },
  "/v1/leases/{lease}": {
    get: {
      operationId: "getLeasesLease",
      summary: one,
      tags: ["reads"],
      parameters: [{ name: "lease", in: "path", required: true, schema: { type: "string" } }],
      responses: {
        200: { description: one, content: json("Lease") },
        404: problem("not-found"),
        429: problem("rate-limited"),
        503: problem("service-unavailable"),
      },
    },
  },
};
