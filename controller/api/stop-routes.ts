import { problemDocument, type StopView } from "@servofleet/contracts";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import type { RaisedCall } from "../stop/stop-lane.ts";
import { type StopTarget, stopScope } from "../stop/stop-scope.ts";
import { pathOf, sendProblem, unknownId } from "./problem-reply.ts";
import { LOCAL_PRINCIPAL, type WriteApi } from "./write-api.ts";

type IdRequest = FastifyRequest<{ Params: { id?: string } }>;

/** What each path stops. */
const TARGETS: Readonly<Record<string, (id: string) => StopTarget>> = {
  "/v1/axes/:id/stop": (id) => ({ kind: "axis", id }),
  "/v1/groups/:id/stop": (id) => ({ kind: "group", id }),
  "/v1/links/:id/stop": (id) => ({ kind: "link", id }),
  "/v1/stop": () => ({ kind: "all" }),
};

/**
 * The stops. Raised as soon as the request line and headers are read: whatever body follows, of whatever type and
 * however broken, cannot keep a stop back. Register them where the body is thrown away.
 */
export async function stopRoutes(app: FastifyInstance, api: WriteApi): Promise<void> {
  await app.register(async (stops) => {
    stops.removeAllContentTypeParsers();
    stops.addContentTypeParser("*", (_request, payload, done) => {
      payload.on("error", () => undefined);
      payload.resume();
      done(null, undefined);
    });
    const raised = new WeakMap<FastifyRequest, RaisedCall>();
    for (const [path, target] of Object.entries(TARGETS)) {
      const onRequest = async (request: FastifyRequest): Promise<void> => {
        const scope = stopScope(api.config, target((request as IdRequest).params.id ?? ""));
        if (scope) raised.set(request, api.stopLane.raise(scope, "person", LOCAL_PRINCIPAL));
      };
      stops.post(path, { onRequest }, async (request, reply) => {
        const call = raised.get(request);
        return call ? answer(request, reply, call) : refuseUnknown(api, request, reply, target);
      });
    }
  });
}

async function answer(request: FastifyRequest, reply: FastifyReply, call: RaisedCall): Promise<FastifyReply> {
  const outcome = await call.outcome();
  const view: StopView = {
    items: outcome.axes.map(({ axis, result, problem }) => ({
      axis,
      result,
      recorded: outcome.recorded,
      problem: problem && problemDocument(problem, pathOf(request)),
    })),
  };
  return reply
    .code(outcome.complete ? 200 : 202)
    .header("cache-control", "no-store")
    .send(view);
}

function refuseUnknown(
  { config }: WriteApi,
  request: FastifyRequest,
  reply: FastifyReply,
  target: (id: string) => StopTarget,
): FastifyReply {
  const { id = "" } = (request as IdRequest).params;
  const { kind } = target(id);
  const known = { axis: config.axes, group: config.groups, link: config.links, all: [] }[kind];
  const ids = known.map((one) => one.id);
  return sendProblem(request, reply, unknownId(kind, id, ids));
}
