import type { RunWordView } from "@servofleet/contracts";
import type { FastifyInstance, FastifyRequest } from "fastify";
import Type from "typebox";
import { checkBody } from "./body-check.ts";
import { sendProblem } from "./problem-reply.ts";
import { LOCAL_PRINCIPAL, type WriteApi } from "./write-api.ts";

const NothingSchema = Type.Object({}, { additionalProperties: false });

type RunPath = FastifyRequest<{ Params: { id: string } }>;

/** `POST /v1/runs/{id}/pause`, `resume`, `abort`: a person's word about a run. Runs are read on the read side. */
export function runRoutes(app: FastifyInstance, { runs }: WriteApi): void {
  for (const what of ["pause", "resume", "abort"] as const) {
    app.post(`/v1/runs/:id/${what}`, async (request: RunPath, reply) => {
      const body = checkBody(NothingSchema, request.body ?? {});
      if ("problem" in body) return sendProblem(request, reply, body.problem);
      const answer = await runs.person(request.params.id, what, LOCAL_PRINCIPAL);
      if ("slug" in answer) return sendProblem(request, reply, answer);
      const view: RunWordView = { runId: answer.runId, state: answer.state };
      return reply.code(200).header("cache-control", "no-store").send(view);
    });
  }
}
