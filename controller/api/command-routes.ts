import { type AcceptedView, logPosition } from "@servofleet/contracts";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { endsCommand } from "../inbox/command-waiters.ts";
import type { Decision } from "../inbox/decision.ts";
import { fingerprint } from "../inbox/fingerprint.ts";
import { checkCommand } from "./body-check.ts";
import { commandView } from "./command-view.ts";
import { pathOf, sendProblem, unknownId } from "./problem-reply.ts";
import { writeHeaders } from "./request-headers.ts";
import { LOCAL_PRINCIPAL, type WriteApi } from "./write-api.ts";

/** How long a reader that follows `Location` may have to wait for the read side. */
const FOLLOW_WAIT_MS = 500;

type AxisRequest = FastifyRequest<{ Params: { axis: string } }>;

/** `POST /v1/axes/{axis}/commands`. */
export function commandRoutes(app: FastifyInstance, api: WriteApi): void {
  app.post("/v1/axes/:axis/commands", async (request: AxisRequest, reply) => {
    const { axis } = request.params;
    if (!api.book.has(axis)) return sendProblem(request, reply, unknownId("axis", axis, api.book.ids));
    const headers = writeHeaders(request.headers);
    if ("problem" in headers) return sendProblem(request, reply, headers.problem);
    const body = checkCommand(request.body);
    if ("problem" in body) return sendProblem(request, reply, body.problem);
    const { waitS, ...asked } = headers;
    const answer = await api.desk.submit({
      axis,
      request: body.value,
      principal: LOCAL_PRINCIPAL,
      fingerprint: fingerprint("POST", pathOf(request), request.body),
      ...asked,
    });
    if ("notTaken" in answer) return sendProblem(request, reply, answer.notTaken);
    if (answer.replayed) reply.header("idempotency-replayed", "true");
    const { decision } = answer;
    if (decision.kind === "accepted") return answerAccepted(api, reply, decision, waitS);
    const { problem, commandId } = decision;
    const etag = { etag: `"${api.book.committed(axis).version}"` };
    return sendProblem(request, reply, problem, {
      commandId,
      headers: problem.slug === "version-mismatch" ? etag : {},
    });
  });
}

async function answerAccepted(
  api: WriteApi,
  reply: FastifyReply,
  decision: Extract<Decision, { kind: "accepted" }>,
  waitS: number | undefined,
): Promise<FastifyReply> {
  const { commandId } = decision;
  const at = logPosition(api.log.logId, decision.position);
  reply.header("location", `/v1/commands/${commandId}?minPosition=${at}&waitMs=${FOLLOW_WAIT_MS}`);
  reply.header("cache-control", "no-store");
  if (waitS !== undefined) {
    reply.header("preference-applied", `wait=${waitS}`);
    const view = await endOf(api, commandId, waitS * 1000);
    if (view) return reply.code(200).send(view);
  }
  const accepted: AcceptedView = { commandId, axis: decision.axis, state: "accepted", logPosition: at };
  return reply.code(202).send(accepted);
}

/** The command once it has ended; undefined when it has not within the time given. */
async function endOf({ waiters, log }: WriteApi, commandId: string, ms: number) {
  const waiting = waiters.wait(commandId, ms);
  const ended = async () => {
    const events = await log.readCommand(commandId);
    return events.some(endsCommand) ? commandView(events, log.logId) : undefined;
  };
  try {
    const already = await ended();
    if (already) return already;
    await waiting.ended;
    return await ended();
  } finally {
    waiting.giveUp();
  }
}
