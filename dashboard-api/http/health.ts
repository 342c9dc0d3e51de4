import type { FastifyInstance } from "fastify";
import type { Registry } from "prom-client";
import type { ReadModel } from "../read-model/read-model.ts";
import { QUERY, type ReadQuery } from "./query-schema.ts";

interface Check {
  readonly name: string;
  readonly ok: boolean;
  /** Without it no answer can be trusted; a single halted projection leaves the others right. */
  readonly needed: boolean;
  readonly detail: string;
}

/** What readiness depends on, in words. */
function checksOf(model: ReadModel): Check[] {
  return [
    {
      name: "caught-up",
      needed: true,
      ok: model.ready,
      detail: model.ready ? `log position ${model.known}` : "building from the log",
    },
    { name: "log", needed: true, ok: model.failure === null, detail: model.failure ?? "readable" },
    ...model.all.map(({ projection, halted, position, persisted }) => ({
      name: `projection ${projection.name}`,
      needed: false,
      ok: halted === null,
      detail: halted?.message ?? `position ${position}${persisted ? "" : ", file cannot be written"}`,
    })),
  ];
}

/** `/livez`: the process turns. `/readyz`: it answers with the truth. `/metrics`: Prometheus text. */
export function addHealthRoutes(app: FastifyInstance, model: ReadModel, registry: Registry): void {
  app.get("/livez", { schema: { querystring: QUERY.ready } }, (_request, reply) =>
    reply.header("cache-control", "no-store").send({ status: "ok" }),
  );
  app.get("/readyz", { schema: { querystring: QUERY.ready } }, (request, reply) => {
    const checks = checksOf(model);
    const ok = checks.every((check) => check.ok || !check.needed);
    const status = !ok ? "not-ready" : checks.every((check) => check.ok) ? "ready" : "degraded";
    const verbose = (request.query as ReadQuery).verbose !== undefined;
    return reply
      .code(ok ? 200 : 503)
      .header("cache-control", "no-store")
      .send({ status, ...(verbose && { checks }) });
  });
  app.get("/metrics", async (_request, reply) =>
    reply
      .header("cache-control", "no-store")
      .type(registry.contentType)
      .send(await registry.metrics()),
  );
}
