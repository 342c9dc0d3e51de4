import { logPosition, type ProblemFacts } from "@servofleet/contracts";
import Fastify, { type FastifyError, type FastifyInstance, type FastifyReply, type FastifyRequest } from "fastify";
import type { Logger } from "../read-model/read-model.ts";
import { PastError } from "../read-model/time-travel.ts";
import { awaitPosition, refuseUntilReady } from "./position-wait.ts";
import { ReadRefused, sendProblem } from "./problem-reply.ts";
import { QUERY, type ReadQuery } from "./query-schema.ts";
import type { Answer, ReadRoute, ReadServices } from "./read-route.ts";

/** Longest path and query this server reads. */
const URL_MAX = 4096;

/** The bare server: strict queries, problems for everything that goes wrong, no routes yet. */
export function createServer(logger: Logger): FastifyInstance {
  const app = Fastify({
    logger: false,
    forceCloseConnections: true,
    routerOptions: { maxParamLength: URL_MAX },
    ajv: { customOptions: { removeAdditional: false, useDefaults: false, coerceTypes: true, allErrors: true } },
  });
  app.setErrorHandler((error: FastifyError, request, reply) => {
    const refused = refusalOf(error);
    if (refused) return sendProblem(request, reply, refused.facts, refused.headers);
    logger.error({ err: error, url: request.url }, "a read failed");
    return sendProblem(request, reply, {
      slug: "internal-error",
      detail: "the read side failed on this request",
      remedy: "ask again; if it stays, look into the log of the dashboard service",
    });
  });
  return app;
}

function refusalOf(error: FastifyError): ReadRefused | null {
  if (error instanceof ReadRefused) return error;
  if (error.validation) return new ReadRefused(invalidQuery(error.validation));
  if (error instanceof PastError) {
    const facts = { slug: "service-unavailable", detail: error.hint, remedy: "ask again in a second" } as const;
    return new ReadRefused(facts, { "retry-after": "1" });
  }
  if (error.statusCode !== undefined && error.statusCode >= 400 && error.statusCode < 500)
    return new ReadRefused({ slug: "validation-error", detail: error.message, remedy: "see /docs" });
  return null;
}

type Validation = NonNullable<FastifyError["validation"]>;

function invalidQuery(found: Validation): ProblemFacts {
  const errors = found
    .slice(0, 50)
    .map(({ keyword, instancePath, message, params }) =>
      keyword === "additionalProperties"
        ? { pointer: `/${params["additionalProperty"]}`, detail: "unknown parameter" }
        : { pointer: instancePath || "/", detail: describe(keyword, message, params) },
    );
  const detail = errors.map((error) => `query parameter ${error.pointer.slice(1)}: ${error.detail}`).join("; ");
  return { slug: "validation-error", detail: detail.slice(0, 500), remedy: "see /docs for the parameters", errors };
}

const describe = (keyword: string, message: string | undefined, params: Record<string, unknown>): string =>
  keyword === "enum" ? `one of ${String(params["allowedValues"])}` : (message ?? keyword);

/** Registers one row of the route table. */
export function addRoute(app: FastifyInstance, services: ReadServices, route: ReadRoute): void {
  const schema = { querystring: QUERY[route.query] };
  const { stream, answer } = route;
  if (stream) {
    app.get(route.path, { schema, exposeHeadRoute: false }, async (request, reply) => {
      refuseUntilReady(services);
      await awaitPosition(services, route, request.query as ReadQuery);
      await stream(request, reply);
    });
    return;
  }
  if (!answer) return;
  const send = (reply: FastifyReply, made: Answer) => {
    const { model } = services;
    reply
      .header("x-position", logPosition(model.log.logId, made.position ?? model.position(route.uses)))
      .header("x-lag-ms", model.lagMs(route.uses))
      .header("cache-control", "no-store")
      .header("content-type", "application/json; charset=utf-8");
    if (made.etag !== undefined) reply.header("etag", made.etag);
    return reply.send(made.json);
  };
  app.get(route.path, { schema }, (request: FastifyRequest, reply) => {
    const asked = { query: request.query as ReadQuery, params: request.params as Record<string, string> };
    refuseUntilReady(services);
    // Most reads need no wait and no disk: they are answered in the same turn of the loop.
    const made = asked.query.minPosition === undefined ? answer(asked) : waited(services, route, asked, answer);
    return made instanceof Promise ? made.then((done) => send(reply, done)) : send(reply, made);
  });
}

async function waited(
  services: ReadServices,
  route: ReadRoute,
  asked: Parameters<NonNullable<ReadRoute["answer"]>>[0],
  answer: NonNullable<ReadRoute["answer"]>,
): Promise<Answer> {
  await awaitPosition(services, route, asked.query);
  return answer(asked);
}
