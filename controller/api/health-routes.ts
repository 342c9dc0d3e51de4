import type { FastifyInstance } from "fastify";
import type { WriteApi } from "./write-api.ts";

/** `/livez`: the process answers. `/readyz`: commands are taken; else 503 with the reason (stops work all the same). */
export function healthRoutes(app: FastifyInstance, api: WriteApi): void {
  app.get("/livez", async (_request, reply) => reply.header("cache-control", "no-store").send({ status: "alive" }));
  app.get("/readyz", async (_request, reply) => {
    const reason = api.unready();
    const logPositionNow = api.log.position;
    return reply
      .code(reason === null ? 200 : 503)
      .header("cache-control", "no-store")
      .send({ status: reason === null ? "ready" : "not-ready", reason, position: logPositionNow });
  });
}
