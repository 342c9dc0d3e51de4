const text = (type: string) => ({ [type]: { schema: { type: "string" } } });
const status = (words: readonly string[]) => ({
  "application/json": {
    schema: { type: "object", properties: { status: { enum: words } }, required: ["status"] },
  },
});

const operation = (operationId: string, summary: string, parameters: readonly object[], responses: object) => ({
  get: { operationId, summary, tags: ["health"], parameters, responses },
});

/** What a box tells of itself, as OpenAPI paths; these answers are no part of the read model. */
export const HEALTH_PATHS: Readonly<Record<string, { readonly get: object }>> = {
  "/livez": operation("getLivez", "The gateway's process turns", [], {
    200: { description: "alive", content: status(["alive"]) },
  }),
  "/readyz": operation(
    "getReadyz",
    "The read side answers with the truth; with `verbose` every check by name",
    [{ name: "verbose", in: "query", required: false, allowEmptyValue: true, schema: { type: "string" } }],
    {
      200: { description: "ready, or degraded in a part", content: status(["ready", "degraded"]) },
      503: { description: "not ready", content: status(["not-ready"]) },
    },
  ),
  "/metrics": operation("getMetrics", "Figures for Prometheus", [], {
    200: { description: "text exposition format 0.0.4", content: text("text/plain") },
  }),
  "/problems/{slug}": operation(
    "getProblemsSlug",
    "What a problem means and what to do: a page for people, JSON for programs that ask for it",
    [{ name: "slug", in: "path", required: true, schema: { type: "string" } }],
    {
      200: {
        description: "the problem in words",
        content: { ...text("text/html"), "application/json": { schema: { type: "object" } } },
      },
      404: {
        description: "not-found",
        content: { "application/problem+json": { schema: { $ref: "#/components/schemas/Problem" } } },
      },
    },
  ),
};
