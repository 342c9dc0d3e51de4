import Type, { type Static } from "typebox";

/**
 * Every problem the product can report (RFC 9457): slug, HTTP status, constant title. A slug once published is never
 * reused for another meaning. The status is `null` where a problem only stands inside a failed command.
 */
export const PROBLEMS = {
  "validation-error": { status: 400, title: "The request is not valid" },
  unauthenticated: { status: 401, title: "Not authenticated" },
  forbidden: { status: 403, title: "Not allowed" },
  "not-found": { status: 404, title: "Not found" },
  "method-not-allowed": { status: 405, title: "Method not allowed" },
  "unsupported-media-type": { status: 415, title: "Body is not JSON" },
  "axis-not-ready": { status: 409, title: "Axis is not ready for this command" },
  "axis-offline": { status: 409, title: "Axis does not answer" },
  "stop-latched": { status: 409, title: "A stop is latched" },
  "reconcile-required": { status: 409, title: "A person has to reconcile the axis first" },
  "already-dispatched": { status: 409, title: "Command has already been sent" },
  "run-not-ready": { status: 409, title: "The run cannot do this now" },
  "deadline-passed": { status: 409, title: "A deadline has passed" },
  "version-mismatch": { status: 412, title: "Axis has changed since" },
  "jog-ended": { status: 410, title: "The jog has ended" },
  "payload-too-large": { status: 413, title: "Request body is too large" },
  "soft-limit": { status: 422, title: "Beyond the soft limit" },
  "idempotency-key-reused": { status: 422, title: "Idempotency key belongs to another request" },
  "ttl-out-of-range": { status: 422, title: "Time to start is out of range" },
  "unsupported-by-drive": { status: 422, title: "The drive cannot do this" },
  "axis-leased": { status: 423, title: "Axis is leased by somebody else" },
  "rate-limited": { status: 429, title: "Too many requests" },
  "queue-full": { status: 429, title: "Queue is full" },
  "link-down": { status: 503, title: "Link is down" },
  "log-unavailable": { status: 503, title: "The event log cannot be written" },
  "shutting-down": { status: 503, title: "Shutting down" },
  "service-unavailable": { status: 503, title: "Service is not available" },
  "read-model-behind": { status: 503, title: "Read model has not reached that position" },
  "internal-error": { status: 500, title: "Unexpected error" },
  "drive-exception": { status: 502, title: "The drive refused the request" },
  "bus-timeout": { status: 504, title: "The drive did not answer in time" },
  "drive-fault": { status: 409, title: "The drive reports a fault" },
  "following-error": { status: 409, title: "Following error" },
  "limit-reached": { status: 409, title: "A limit was reached" },
} as const satisfies Record<string, { status: number; title: string }>;

/** The last part of a problem type. */
export type ProblemSlug = keyof typeof PROBLEMS;

/** Checks a slug. */
export const ProblemSlugSchema = Type.Unsafe<ProblemSlug>(Type.String({ enum: Object.keys(PROBLEMS) }));

/** Why something was refused or failed, without any transport: stored in events, shown by REST as problem+json. */
export const ProblemFactsSchema = Type.Object(
  {
    slug: ProblemSlugSchema,
    detail: Type.String({ maxLength: 500, description: "what was wrong, with the numbers" }),
    remedy: Type.String({ maxLength: 500, description: "what to do next" }),
    errors: Type.Optional(
      Type.Array(Type.Object({ pointer: Type.String(), detail: Type.String() }, { additionalProperties: false }), {
        maxItems: 50,
      }),
    ),
  },
  { additionalProperties: false },
);
export type ProblemFacts = Static<typeof ProblemFactsSchema>;

/** The document of RFC 9457 as it is sent. */
export interface ProblemDocument {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  readonly instance: string;
  readonly commandId?: string;
  readonly remedy: string;
  readonly errors: readonly { pointer: string; detail: string }[];
}

/** Builds the problem+json document; `instance` is the path of the request or of the command. */
export function problemDocument(facts: ProblemFacts, instance: string, commandId?: string): ProblemDocument {
  const { status, title } = PROBLEMS[facts.slug];
  return {
    type: `/problems/${facts.slug}`,
    title,
    status,
    detail: facts.detail,
    instance,
    ...(commandId === undefined ? {} : { commandId }),
    remedy: facts.remedy,
    errors: facts.errors ?? [],
  };
}
