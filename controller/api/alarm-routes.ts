import { boxStream, type DomainEvent, type EventType, logPosition, parseRfc3339, rfc3339 } from "@servofleet/contracts";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import Type, { type Static } from "typebox";
import { checkBody } from "./body-check.ts";
import { sendProblem } from "./problem-reply.ts";
import { LOCAL_PRINCIPAL, type WriteApi } from "./write-api.ts";

/** An alarm may be put aside for a shift, not for good. */
export const SHELVE_MAX_MS = 24 * 3600 * 1000;
/** The alarm of a halted projection lives on the read side only; every other alarm is the event that raised it. */
const READ_SIDE_ALARM = /^read-model-halted\.[a-z-]{1,64}$/;
const RAISING: ReadonlySet<EventType> = new Set(["LinkWentDown", "FaultRaised", "LimitReached", "AxisWentOffline"]);

const AcknowledgeSchema = Type.Object({}, { additionalProperties: false });
export const ShelveSchema = Type.Object(
  {
    until: Type.String({ minLength: 1, maxLength: 40, description: "RFC 3339 time" }),
    reason: Type.String({ minLength: 1, maxLength: 500 }),
  },
  { additionalProperties: false },
);

type AlarmPath = FastifyRequest<{ Params: { id: string } }>;

/** `POST /v1/alarms/{id}/acknowledge` and `/shelve` (ISA-18.2). Alarms live on the read side; here a person's word is recorded. */
export function alarmRoutes(app: FastifyInstance, api: WriteApi): void {
  app.post("/v1/alarms/:id/acknowledge", async (request: AlarmPath, reply) => {
    const body = checkBody(AcknowledgeSchema, request.body ?? {});
    if ("problem" in body) return sendProblem(request, reply, body.problem);
    const { id: alarm } = request.params;
    return record(api, request, reply, { type: "AlarmAcknowledged", data: { alarm, principal: LOCAL_PRINCIPAL } });
  });
  app.post("/v1/alarms/:id/shelve", async (request: AlarmPath, reply) => {
    const body = checkBody<Static<typeof ShelveSchema>>(ShelveSchema, request.body);
    if ("problem" in body) return sendProblem(request, reply, body.problem);
    const { until, reason } = body.value;
    const nowUs = api.clock.wallUs();
    const untilUs = parseRfc3339(until);
    if (untilUs === undefined || untilUs <= nowUs || untilUs > nowUs + SHELVE_MAX_MS * 1000) {
      const detail = `until ${JSON.stringify(until)} must be an RFC 3339 time in the next 24 hours`;
      const remedy = `as in ${rfc3339(nowUs + 3_600_000_000)}`;
      const errors = [{ pointer: "/until", detail: "an RFC 3339 time in the next 24 hours" }];
      return sendProblem(request, reply, { slug: "validation-error", detail, remedy, errors });
    }
    const data = { alarm: request.params.id, principal: LOCAL_PRINCIPAL, until: rfc3339(untilUs), reason };
    return record(api, request, reply, { type: "AlarmShelved", data });
  });
}

/** 200 with the log position: the read side shows it from there. */
async function record(
  { config, log, journal, admission }: WriteApi,
  request: AlarmPath,
  reply: FastifyReply,
  event: Extract<DomainEvent, { type: "AlarmAcknowledged" | "AlarmShelved" }>,
): Promise<FastifyReply> {
  const { id: alarm } = request.params;
  const raised = READ_SIDE_ALARM.test(alarm) ? undefined : await log.findById(alarm);
  if (!READ_SIDE_ALARM.test(alarm) && !(raised && RAISING.has(raised.type))) {
    const detail = `no alarm ${JSON.stringify(alarm.slice(0, 80))}`;
    return sendProblem(request, reply, { slug: "not-found", detail, remedy: "GET /v1/alarms lists them" });
  }
  const kept = admission.toRecord();
  if (kept) return sendProblem(request, reply, kept);
  const origin = { actor: LOCAL_PRINCIPAL };
  const [recorded] = await journal.record([{ stream: boxStream(config.box), events: [event], origin }]);
  const at = recorded ? logPosition(log.logId, recorded.position) : null;
  return reply.code(200).header("cache-control", "no-store").send({ alarm, logPosition: at });
}
