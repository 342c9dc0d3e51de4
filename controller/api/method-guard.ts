import type { FastifyInstance, HTTPMethods } from "fastify";
import { sendProblem } from "./problem-reply.ts";

const METHODS: readonly HTTPMethods[] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];

/** Collects the methods of each path as routes are added. Call before the first route. */
export function collectMethods(app: FastifyInstance): ReadonlyMap<string, Set<string>> {
  const paths = new Map<string, Set<string>>();
  app.addHook("onRoute", ({ url, method }) => {
    const methods = paths.get(url) ?? new Set();
    paths.set(url, methods);
    for (const one of [method].flat()) methods.add(one);
  });
  return paths;
}

/** 405 with `Allow` for every other method of a known path. Call after the last route. */
export function guardMethods(app: FastifyInstance, paths: ReadonlyMap<string, ReadonlySet<string>>): void {
  for (const [url, methods] of [...paths]) {
    const known = [...methods];
    app.route({
      url,
      method: METHODS.filter((method) => !known.includes(method)),
      // Before the body is read: what is wrong with the body is not the first thing that is wrong.
      onRequest: async (request, reply) => {
        const detail = `${request.method} is not for this path`;
        const remedy = `it takes ${known.join(", ")}`;
        await sendProblem(
          request,
          reply,
          { slug: "method-not-allowed", detail, remedy },
          { headers: { allow: known.join(", ") } },
        );
      },
      handler: async () => undefined,
    });
  }
}
