import { chmod, rm } from "node:fs/promises";
import Fastify, { type FastifyInstance } from "fastify";
import { alarmRoutes } from "./alarm-routes.ts";
import { cancelRoutes } from "./cancel-routes.ts";
import { captureRoutes } from "./capture-routes.ts";
import { commandRoutes } from "./command-routes.ts";
import { healthRoutes } from "./health-routes.ts";
import { jogRoutes } from "./jog-routes.ts";
import { leaseRoutes } from "./lease-routes.ts";
import { collectMethods, guardMethods } from "./method-guard.ts";
import { pathOf, sendProblem } from "./problem-reply.ts";
import { programRoutes } from "./program-routes.ts";
import { reconcileRoutes } from "./reconcile-routes.ts";
import { RepeatedFieldError, repeatedField } from "./repeated-field.ts";
import { BODY_MAX_BYTES, problemOfError } from "./request-problems.ts";
import { runRoutes } from "./run-routes.ts";
import { stopRoutes } from "./stop-routes.ts";
import type { WriteApi } from "./write-api.ts";

/** A client that does not finish its request in this time is dropped. */
const REQUEST_LIMIT_MS = 10_000;
const PATH_PART_MAX = 256;

/** The write API. Not listening yet. */
export async function writeServer(api: WriteApi): Promise<FastifyInstance> {
  const app = Fastify({
    bodyLimit: BODY_MAX_BYTES,
    requestTimeout: REQUEST_LIMIT_MS,
    forceCloseConnections: true,
    routerOptions: { ignoreTrailingSlash: true, maxParamLength: PATH_PART_MAX },
    frameworkErrors: (error, request, reply) => {
      sendProblem(request, reply, problemOfError(error));
    },
  });
  app.removeContentTypeParser("text/plain");
  readStrictJson(app);
  app.setErrorHandler((error, request, reply) => {
    const facts = problemOfError(error);
    if (facts.slug === "internal-error") api.logger.error({ error, path: pathOf(request) }, "a request broke");
    return sendProblem(request, reply, facts);
  });
  app.setNotFoundHandler((request, reply) => {
    const detail = `nothing is at ${pathOf(request).slice(0, 200)}`;
    return sendProblem(request, reply, { slug: "not-found", detail, remedy: "/docs lists every path" });
  });
  const methods = collectMethods(app);
  commandRoutes(app, api);
  await stopRoutes(app, api);
  cancelRoutes(app, api);
  reconcileRoutes(app, api);
  alarmRoutes(app, api);
  captureRoutes(app, api);
  leaseRoutes(app, api);
  jogRoutes(app, api);
  programRoutes(app, api);
  runRoutes(app, api);
  healthRoutes(app, api);
  guardMethods(app, methods);
  return app;
}

/** Bodies as the framework reads them, but for fields that stand twice. */
function readStrictJson(app: FastifyInstance): void {
  const parse = app.getDefaultJsonParser("error", "error");
  app.removeContentTypeParser("application/json");
  app.addContentTypeParser("application/json", { parseAs: "string" }, (request, text: string, done) => {
    parse(request, text, (error, value) => {
      const field = error ? undefined : repeatedField(text);
      done(field === undefined ? error : new RepeatedFieldError(field), value);
    });
  });
}

/** Listens on a Unix socket that owner and group may use. The socket of a former life is removed. */
export async function listenOnSocket(app: FastifyInstance, path: string): Promise<void> {
  await rm(path, { force: true });
  await app.listen({ path });
  await chmod(path, 0o660);
}
