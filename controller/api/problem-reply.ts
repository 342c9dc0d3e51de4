import { PROBLEMS, type ProblemFacts, problemDocument } from "@servofleet/contracts";
import type { FastifyReply, FastifyRequest } from "fastify";

/** Statuses that pass: the client is told when to ask again, seconds. */
const RETRY_AFTER_S = "1";
/** Ids named in a remedy. */
const KNOWN_IDS_MAX = 20;

export interface ProblemContext {
  /** The command that was refused, if it has an id that can be asked for. */
  readonly commandId?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Path of a request without its query. */
export const pathOf = (request: FastifyRequest): string => request.url.split("?", 1)[0] ?? "/";

/** Answers with problem+json (RFC 9457). */
export function sendProblem(
  request: FastifyRequest,
  reply: FastifyReply,
  facts: ProblemFacts,
  { commandId, headers = {} }: ProblemContext = {},
): FastifyReply {
  const { status } = PROBLEMS[facts.slug];
  const instance = commandId === undefined ? pathOf(request) : `/v1/commands/${commandId}`;
  const later = status === 429 || status === 503 ? { "retry-after": RETRY_AFTER_S } : {};
  return (
    reply
      .code(status)
      .headers({ "cache-control": "no-store", ...later, ...headers, "content-type": "application/problem+json" })
      // As bytes: to text the framework would add a charset, which JSON has none of (RFC 8259, 11).
      .send(Buffer.from(JSON.stringify(problemDocument(facts, instance, commandId))))
  );
}

/** 404 that names what there is, so that a typing mistake is seen at once. */
export function unknownId(kind: string, id: string, known: readonly string[]): ProblemFacts {
  const some = known.slice(0, KNOWN_IDS_MAX).join(", ");
  const more = known.length > KNOWN_IDS_MAX ? ` and ${known.length - KNOWN_IDS_MAX} more` : "";
  return {
    slug: "not-found",
    detail: `no ${kind} ${JSON.stringify(id.slice(0, 80))}`,
    remedy: known.length === 0 ? `no ${kind} is configured` : `one of ${some}${more}`,
  };
}
