import { type JogBeat, JogBeatSchema, type JogRequest, JogRequestSchema } from "@servofleet/contracts";
import type { FastifyInstance, FastifyRequest } from "fastify";
import { fingerprint } from "../inbox/fingerprint.ts";
import { checkBody } from "./body-check.ts";
import { pathOf, sendProblem, unknownId } from "./problem-reply.ts";
import { leaseTokenOf } from "./request-headers.ts";
import { LOCAL_PRINCIPAL, type WriteApi } from "./write-api.ts";

type AxisPath = FastifyRequest<{ Params: { axis: string } }>;
type SessionPath = FastifyRequest<{ Params: { session: string } }>;

/** Hold-to-run: `POST` presses the button, `PUT` at 10 Hz or faster holds it, `DELETE` lets go. */
export function jogRoutes(app: FastifyInstance, api: WriteApi): void {
  app.post("/v1/axes/:axis/jog", async (request: AxisPath, reply) => {
    const { axis } = request.params;
    if (!api.book.has(axis)) return sendProblem(request, reply, unknownId("axis", axis, api.book.ids));
    const body = checkBody<JogRequest>(JogRequestSchema, request.body);
    if ("problem" in body) return sendProblem(request, reply, body.problem);
    const kept = api.admission.toCommand(axis);
    if (kept) return sendProblem(request, reply, kept);
    const caller = {
      principal: LOCAL_PRINCIPAL,
      fingerprint: fingerprint("POST", pathOf(request), request.body),
      leaseToken: leaseTokenOf(request.headers) ?? undefined,
    };
    const opened = await api.jogs.open(axis, body.value, caller);
    if ("problem" in opened) {
      const { problem, commandId } = opened;
      return sendProblem(request, reply, problem, commandId === undefined ? {} : { commandId });
    }
    return reply
      .code(201)
      .header("location", `/v1/jog/${opened.view.id}`)
      .header("cache-control", "no-store")
      .send(opened.view);
  });
  app.put("/v1/jog/:session", (request: SessionPath, reply) => {
    const body = checkBody<JogBeat>(JogBeatSchema, request.body);
    if ("problem" in body) return sendProblem(request, reply, body.problem);
    const held = api.jogs.beat(request.params.session, body.value);
    if ("problem" in held) return sendProblem(request, reply, held.problem);
    return reply.header("cache-control", "no-store").send(held.view);
  });
  app.delete("/v1/jog/:session", async (request: SessionPath, reply) => {
    const problem = await api.jogs.release(request.params.session);
    return problem ? sendProblem(request, reply, problem) : reply.code(204).send();
  });
}
