import { rfc3339 } from "@servofleet/contracts";
import type { FastifyInstance, FastifyRequest } from "fastify";
import { sendProblem, unknownId } from "./problem-reply.ts";
import type { WriteApi } from "./write-api.ts";

/** No type is registered for pcapng; this one is in common use. */
const PCAPNG = "application/x-pcapng";

type LinkRequest = FastifyRequest<{ Params: { link: string } }>;

/** `GET /v1/links/{link}/capture`: here, since only this process speaks with the bridge. */
export function captureRoutes(app: FastifyInstance, api: WriteApi): void {
  app.get("/v1/links/:link/capture", async (request: LinkRequest, reply) => {
    const known = api.config.links.map(({ id }) => id);
    const link = known.find((id) => id === request.params.link);
    if (!link) return sendProblem(request, reply, unknownId("link", request.params.link, known));
    const outcome = await api.captures.ask(link);
    if ("problem" in outcome) return sendProblem(request, reply, outcome.problem);
    const at = rfc3339(api.clock.wallUs()).slice(0, 19).replaceAll(/[-:]/g, "");
    return reply
      .header("content-type", PCAPNG)
      .header("content-disposition", `attachment; filename="${link}-${at}Z.pcapng"`)
      .header("cache-control", "no-store")
      .send(outcome.file);
  });
}
