import {
  type AxisId,
  type GrantedLeaseView,
  type LeaseRequest,
  LeaseRequestSchema,
  type LeaseView,
  type Page,
  type ProblemFacts,
  type TakeRequest,
  TakeRequestSchema,
} from "@servofleet/contracts";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import type { Lease } from "../authority/lease-book.ts";
import { checkBody } from "./body-check.ts";
import { sendProblem, unknownId } from "./problem-reply.ts";
import { leaseTokenOf } from "./request-headers.ts";
import { LOCAL_PRINCIPAL, type WriteApi } from "./write-api.ts";

type LeasePath = FastifyRequest<{ Params: { lease: string } }>;

const token = (request: FastifyRequest): string | undefined => leaseTokenOf(request.headers) ?? undefined;

/** `/v1/leases`: who controls which axis. Reading needs nothing; ending and renewing need the holder's token. */
export function leaseRoutes(app: FastifyInstance, api: WriteApi): void {
  const { leases, leaseDesk } = api;
  app.get("/v1/leases", (_request, reply) => {
    const items = leases.all().map((lease) => leases.view(lease));
    const page: Page<LeaseView> = { items, nextCursor: null };
    return reply.header("cache-control", "no-store").send(page);
  });
  app.get("/v1/leases/:lease", (request: LeasePath, reply) => {
    const lease = leases.get(request.params.lease);
    if (!lease) return sendProblem(request, reply, unknownLease(request.params.lease));
    return reply.header("cache-control", "no-store").send(leases.view(lease));
  });
  app.post("/v1/leases", async (request, reply) => {
    const body = checkBody<LeaseRequest>(LeaseRequestSchema, request.body);
    if ("problem" in body) return sendProblem(request, reply, body.problem);
    const axes = leasedAxes(api, body.value);
    if ("slug" in axes) return sendProblem(request, reply, axes);
    const kept = api.admission.toRecord();
    if (kept) return sendProblem(request, reply, kept);
    const granted = await leaseDesk.grant(axes, body.value, LOCAL_PRINCIPAL);
    return "problem" in granted ? sendProblem(request, reply, granted.problem) : created(api, reply, granted.lease);
  });
  app.put("/v1/leases/:lease", (request: LeasePath, reply) => {
    const renewed = leaseDesk.renew(request.params.lease, token(request));
    if ("problem" in renewed) return sendProblem(request, reply, renewed.problem);
    return reply.header("cache-control", "no-store").send(leases.view(renewed.lease));
  });
  app.delete("/v1/leases/:lease", async (request: LeasePath, reply) => {
    const problem = await leaseDesk.giveBack(request.params.lease, token(request));
    return problem ? sendProblem(request, reply, problem) : reply.code(204).send();
  });
  app.post("/v1/leases/:lease/take", async (request: LeasePath, reply) => {
    const body = checkBody<TakeRequest>(TakeRequestSchema, request.body);
    if ("problem" in body) return sendProblem(request, reply, body.problem);
    const kept = api.admission.toRecord();
    if (kept) return sendProblem(request, reply, kept);
    const taken = await leaseDesk.take(request.params.lease, body.value.reason, body.value, LOCAL_PRINCIPAL);
    return "problem" in taken ? sendProblem(request, reply, taken.problem) : created(api, reply, taken.lease);
  });
}

function created({ leases }: WriteApi, reply: FastifyReply, lease: Lease): FastifyReply {
  const view: GrantedLeaseView = { ...leases.view(lease), token: lease.token };
  return reply.code(201).header("location", `/v1/leases/${lease.id}`).header("cache-control", "no-store").send(view);
}

function leasedAxes({ config, book }: WriteApi, { axes = [], group }: LeaseRequest): readonly AxisId[] | ProblemFacts {
  const named = config.groups.find(({ id }) => id === group);
  if (group !== undefined && !named)
    return unknownId(
      "group",
      group,
      config.groups.map(({ id }) => id),
    );
  const all = new Set<string>([...axes, ...(named?.axes ?? [])]);
  for (const axis of all) if (!book.has(axis)) return unknownId("axis", axis, book.ids);
  if (all.size > 0) return [...all] as AxisId[];
  const errors = [{ pointer: "/axes", detail: "name at least one axis, or a group" }];
  return { slug: "validation-error", detail: "the lease names no axis", remedy: "name axes or a group", errors };
}

const unknownLease = (id: string): ProblemFacts => ({
  slug: "not-found",
  detail: `no lease ${JSON.stringify(id.slice(0, 80))}: it was given back, taken over or has lapsed`,
  remedy: "GET /v1/leases shows who controls what",
});
