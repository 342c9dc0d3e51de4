import type { FastifyInstance } from "fastify";
import { sendProblem } from "./problem-reply.ts";

/** 405 for a path that exists with another method, 404 for one that does not. Call it after all routes were added. */
export function addUnknownRoute(app: FastifyInstance, paths: readonly string[]): void {
  const patterns = paths.map((path) => new RegExp(`^${path.replace(/[.]/g, "\\.").replace(/:[a-z]+/gi, "[^/]+")}$`));
  app.setNotFoundHandler((request, reply) => {
    const path = request.url.split("?", 1)[0] ?? "/";
    if (request.method !== "GET" && patterns.some((pattern) => pattern.test(path)))
      return sendProblem(
        request,
        reply,
        {
          slug: "method-not-allowed",
          detail: `${request.method} ${path} does not exist`,
          remedy: "read it with GET; /docs lists the writes",
        },
        { allow: "GET, HEAD" },
      );
    return sendProblem(request, reply, {
      slug: "not-found",
      detail: `no route ${request.method} ${path.slice(0, 200)}`,
      remedy: "/docs lists every route",
    });
  });
}
