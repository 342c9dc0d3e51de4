import { type AxisId, type CommandId, type RecordedEvent, streamSubject, UUID_PATTERN } from "@servofleet/contracts";
import type { FastifyInstance, FastifyRequest } from "fastify";
import { isRefusal } from "../domain/decide.ts";
import { cancel } from "../domain/withdraw.ts";
import { commandView } from "./command-view.ts";
import { sendProblem } from "./problem-reply.ts";
import { LOCAL_PRINCIPAL, type WriteApi } from "./write-api.ts";

const UUID = new RegExp(UUID_PATTERN);

type CommandPath = FastifyRequest<{ Params: { id: string } }>;

/** `DELETE /v1/commands/{id}`: 200 with the cancelled command, 409 `already-dispatched`, 404. */
export function cancelRoutes(app: FastifyInstance, api: WriteApi): void {
  app.delete("/v1/commands/:id", async (request: CommandPath, reply) => {
    const commandId = request.params.id as CommandId;
    const kept = api.admission.toRecord();
    if (kept) return sendProblem(request, reply, kept);
    const axis = await axisOf(api, commandId);
    if (!axis) {
      const detail = `no command ${JSON.stringify(commandId.slice(0, 80))}`;
      const remedy = "its id stands in the answer to its POST";
      return sendProblem(request, reply, { slug: "not-found", detail, remedy });
    }
    const outcome = cancel(api.book.current(axis), commandId, LOCAL_PRINCIPAL);
    if (isRefusal(outcome)) return sendProblem(request, reply, outcome.problem, { commandId });
    await api.journal.record([{ axis, events: outcome, origin: { actor: LOCAL_PRINCIPAL } }]);
    const view = commandView(await api.log.readCommand(commandId), api.log.logId);
    return reply.code(200).header("cache-control", "no-store").send(view);
  });
}

/** The axis of a command that is open, or that the log knows. */
async function axisOf({ book, log }: WriteApi, commandId: CommandId): Promise<AxisId | undefined> {
  if (!UUID.test(commandId)) return undefined;
  const open = book.ids.find((id) => book.current(id).open.has(commandId));
  if (open) return open;
  const known: RecordedEvent | undefined = await log.findById(commandId);
  const axis = known && known.commandId === commandId ? streamSubject(known.stream) : undefined;
  return axis !== undefined && book.has(axis) ? axis : undefined;
}
