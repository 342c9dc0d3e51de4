import Fastify from "fastify";

export interface BareRoute {
  readonly socketPath: string;
  /** The body to answer with, already written out: the least work a route can have. */
  readonly body: string;
}

/** The reference of `query`: Fastify with one route and nothing else. */
export function bareFastify() {
  const app = Fastify({ logger: false });
  return {
    async listen({ socketPath, body }: BareRoute) {
      app.get("/v1/axes/:axis", (_request, reply) => {
        reply.header("content-type", "application/json; charset=utf-8").send(body);
      });
      await app.listen({ path: socketPath });
    },
  };
}
