import type { FastifyInstance } from "fastify";
import Type from "typebox";
import { ProjectionError } from "../read-model/projection-error.ts";
import type { Adopted, ReadModel } from "../read-model/read-model.ts";
import { refuseUntilReady } from "./position-wait.ts";
import { sendProblem } from "./problem-reply.ts";

/** On the service's own socket alone: the gateway takes whatever writes to the controller. */
export const SWITCH_PATH = "/read-model/switch";
const BODY = Type.Object({ generation: Type.Integer({ minimum: 1 }) }, { additionalProperties: false });

/** How `servofleet read rebuild` hands its files over to the service that answers. */
export function addSwitchRoute(
  app: FastifyInstance,
  model: ReadModel,
  adopt: (generation: number) => Promise<readonly Adopted[]>,
): void {
  app.post(SWITCH_PATH, { schema: { body: BODY } }, async (request, reply) => {
    refuseUntilReady({ model });
    try {
      return { items: await adopt((request.body as { generation: number }).generation) };
    } catch (cause) {
      if (!(cause instanceof ProjectionError)) throw cause;
      return sendProblem(request, reply, { slug: "service-unavailable", detail: cause.message, remedy: cause.hint });
    }
  });
}
