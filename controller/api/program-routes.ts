import {
  logPosition,
  type Page,
  type Program,
  ProgramSchema,
  type ProgramView,
  rfc3339,
  type StartedRunView,
} from "@servofleet/contracts";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import Type from "typebox";
import { fingerprint } from "../inbox/fingerprint.ts";
import { dryRun } from "../programs/dry-run.ts";
import { axesOf } from "../programs/program-plan.ts";
import type { DefinedProgram } from "../programs/program-shelf.ts";
import { noAxis } from "../programs/run-desk.ts";
import { checkBody } from "./body-check.ts";
import { pathOf, sendProblem, unknownId } from "./problem-reply.ts";
import { writeHeaders } from "./request-headers.ts";
import { LOCAL_PRINCIPAL, type WriteApi } from "./write-api.ts";

const NothingSchema = Type.Object({}, { additionalProperties: false });
/** How long a reader that follows `Location` may have to wait for the read side. */
const FOLLOW_WAIT_MS = 500;

type ProgramPath = FastifyRequest<{ Params: { program: string } }>;

/** `/v1/programs`: documents, runs of them, their dry runs and triggers. */
export function programRoutes(app: FastifyInstance, api: WriteApi): void {
  const { programs } = api;
  app.get("/v1/programs", (_request, reply) => {
    const page: Page<ProgramView> = { items: programs.all().map((one) => viewOf(api, one)), nextCursor: null };
    return reply.header("cache-control", "no-store").send(page);
  });
  app.get("/v1/programs/:program", (request: ProgramPath, reply) => {
    const defined = programs.get(request.params.program);
    if (!defined) return sendProblem(request, reply, unknown(api, request));
    return reply.header("cache-control", "no-store").send(viewOf(api, defined));
  });
  app.post("/v1/programs", async (request, reply) => {
    const body = checkBody<Program>(ProgramSchema, request.body);
    if ("problem" in body) return sendProblem(request, reply, body.problem);
    const kept = api.admission.toRecord();
    if (kept) return sendProblem(request, reply, kept);
    const outcome = await programs.define(body.value, LOCAL_PRINCIPAL);
    if ("problem" in outcome) return sendProblem(request, reply, outcome.problem);
    const { defined, recorded } = outcome;
    reply.header("location", `/v1/programs/${defined.program.name}`).header("cache-control", "no-store");
    return reply.code(recorded ? 201 : 200).send(viewOf(api, defined));
  });
  app.post("/v1/programs/:program/runs", (request: ProgramPath, reply) => start(api, request, reply));
  app.post("/v1/programs/:program/dry-run", (request: ProgramPath, reply) => {
    const defined = asked(api, request);
    if ("slug" in defined) return sendProblem(request, reply, defined);
    const gone = axesOf(defined.program, api.config).find((id) => !api.book.has(id));
    if (gone !== undefined) return sendProblem(request, reply, noAxis(gone));
    return reply.header("cache-control", "no-store").send(dryRun(defined, sightOf(api)));
  });
  for (const what of ["arm", "disarm"] as const) {
    app.post(`/v1/programs/:program/${what}`, async (request: ProgramPath, reply) => {
      const defined = asked(api, request);
      if ("slug" in defined) return sendProblem(request, reply, defined);
      const { name } = defined.program;
      const kept = api.admission.toRecord();
      const arming = what === "arm" && !kept ? await api.triggers.arm(name, LOCAL_PRINCIPAL) : kept;
      if (arming) return sendProblem(request, reply, arming);
      if (what === "disarm") await api.triggers.disarm(name, `by ${LOCAL_PRINCIPAL}`, LOCAL_PRINCIPAL);
      return reply.header("cache-control", "no-store").send(viewOf(api, defined));
    });
  }
}

const viewOf = ({ config, triggers }: WriteApi, { program, version, definedUs }: DefinedProgram): ProgramView => ({
  name: program.name,
  version,
  definedAt: rfc3339(definedUs),
  armed: triggers.isArmed(program.name),
  axes: axesOf(program, config),
  program,
});

const unknown = ({ programs }: WriteApi, request: ProgramPath) =>
  unknownId(
    "program",
    request.params.program,
    programs.all().map(({ program }) => program.name),
  );

/** The program of a request whose body says nothing. */
function asked(api: WriteApi, request: ProgramPath) {
  const defined = api.programs.get(request.params.program);
  if (!defined) return unknown(api, request);
  const body = checkBody(NothingSchema, request.body ?? {});
  return "problem" in body ? body.problem : defined;
}

async function start(api: WriteApi, request: ProgramPath, reply: FastifyReply): Promise<FastifyReply> {
  const defined = asked(api, request);
  if ("slug" in defined) return sendProblem(request, reply, defined);
  const headers = writeHeaders(request.headers);
  if ("problem" in headers) return sendProblem(request, reply, headers.problem);
  const kept = api.admission.toRecord();
  if (kept) return sendProblem(request, reply, kept);
  const answer = await api.runs.start({
    defined,
    principal: LOCAL_PRINCIPAL,
    key: headers.key,
    fingerprint: fingerprint("POST", pathOf(request), request.body ?? {}),
    trigger: null,
  });
  if ("problem" in answer) return sendProblem(request, reply, answer.problem);
  if (answer.replayed) reply.header("idempotency-replayed", "true");
  const { runId } = answer;
  const at = logPosition(api.log.logId, answer.position);
  const view: StartedRunView = { runId, program: defined.program.name, state: "running", logPosition: at };
  reply.header("location", `/v1/runs/${runId}?minPosition=${at}&waitMs=${FOLLOW_WAIT_MS}`);
  return reply.code(202).header("cache-control", "no-store").send(view);
}

const sightOf = ({ config, book, admission, leases }: WriteApi): Parameters<typeof dryRun>[1] => ({
  config,
  axis: (id) => book.current(id),
  reading: (id) => book.reading(id),
  kept: (id) => {
    const holder = leases.holder(id);
    return admission.toCommand(id) ?? (holder ? leases.leased(id, holder) : null);
  },
});
