import { PROBLEMS, type ProblemFacts, type ProblemSlug, problemDocument } from "@servofleet/contracts";
import type { FastifyReply, FastifyRequest } from "fastify";

/** A "no" on its way to the client; thrown only inside a route, caught by the error handler of the same server. */
export class ReadRefused extends Error {
  override readonly name = "ReadRefused";
  readonly code: ProblemSlug;
  readonly facts: ProblemFacts;
  readonly hint: string;
  readonly headers: Readonly<Record<string, string>>;

  constructor(facts: ProblemFacts, headers: Readonly<Record<string, string>> = {}) {
    super(facts.detail);
    this.code = facts.slug;
    this.facts = facts;
    this.hint = facts.remedy;
    this.headers = headers;
  }
}

/** A query parameter that cannot be used. */
export const badParameter = (name: string, detail: string, remedy: string): ReadRefused =>
  new ReadRefused({
    slug: "validation-error",
    detail: `query parameter ${name}: ${detail}`,
    remedy,
    errors: [{ pointer: `/${name}`, detail }],
  });

const REMEDY_IDS_MAX = 20;

/** 404 that lists what there is, so that a typing mistake is seen at once. */
export function unknownId(kind: string, id: string, known: readonly string[]): ReadRefused {
  const some = known.slice(0, REMEDY_IDS_MAX).join(", ");
  const more = known.length > REMEDY_IDS_MAX ? ` and ${known.length - REMEDY_IDS_MAX} more` : "";
  const remedy = known.length === 0 ? `there is no ${kind} yet` : `one of ${some}${more}`;
  return new ReadRefused({ slug: "not-found", detail: `no ${kind} "${id.slice(0, 80)}"`, remedy });
}

export function sendProblem(
  request: FastifyRequest,
  reply: FastifyReply,
  facts: ProblemFacts,
  headers: Readonly<Record<string, string>> = {},
): FastifyReply {
  const path = request.url.split("?", 1)[0] ?? "/";
  return reply
    .code(PROBLEMS[facts.slug].status)
    .headers({ "cache-control": "no-store", ...headers })
    .type("application/problem+json")
    .send(JSON.stringify(problemDocument(facts, path)));
}
