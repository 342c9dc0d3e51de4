import type { FastifyInstance, FastifyRequest } from "fastify";
import Type, { type Static } from "typebox";
import { isRefusal } from "../domain/decide.ts";
import { reconcile } from "../domain/reconcile.ts";
import { checkBody } from "./body-check.ts";
import { sendProblem, unknownId } from "./problem-reply.ts";
import { LOCAL_PRINCIPAL, type WriteApi } from "./write-api.ts";

export const ReconcileSchema = Type.Object(
  { decision: Type.Union([Type.Literal("adopt"), Type.Literal("abandon")]) },
  { additionalProperties: false },
);

type AxisPath = FastifyRequest<{ Params: { axis: string } }>;

/** `POST /v1/axes/{axis}/reconcile`: a person has looked at the axis. */
export function reconcileRoutes(app: FastifyInstance, api: WriteApi): void {
  app.post("/v1/axes/:axis/reconcile", async (request: AxisPath, reply) => {
    const { axis } = request.params;
    if (!api.book.has(axis)) return sendProblem(request, reply, unknownId("axis", axis, api.book.ids));
    const body = checkBody<Static<typeof ReconcileSchema>>(ReconcileSchema, request.body);
    if ("problem" in body) return sendProblem(request, reply, body.problem);
    const kept = api.admission.toRecord();
    if (kept) return sendProblem(request, reply, kept);
    const { decision } = body.value;
    const outcome = reconcile(api.book.current(axis), decision, LOCAL_PRINCIPAL);
    if (isRefusal(outcome)) return sendProblem(request, reply, outcome.problem);
    await api.journal.record([{ axis, events: outcome, origin: { actor: LOCAL_PRINCIPAL } }]);
    const { reconcileRequired, version } = api.book.committed(axis);
    return reply.code(200).header("cache-control", "no-store").send({ axis, decision, reconcileRequired, version });
  });
}
