import type { IncomingHttpHeaders } from "node:http";
import type { ProblemFacts } from "@servofleet/contracts";

const KEY_MAX = 255;
/** Longest wait for a command's end, s. Shorter than a gateway waits for an answer before it calls the controller dead. */
export const WAIT_MAX_S = 60;

/** What a write is asked under. */
export interface WriteHeaders {
  readonly key?: string;
  readonly expectedVersion?: number;
  readonly traceparent?: string;
  /** `Lease-Token`: shows that the client controls the axis. */
  readonly leaseToken?: string;
  /** `Prefer: wait`, s. */
  readonly waitS?: number;
}

const bad = (header: string, detail: string, remedy: string): { readonly problem: ProblemFacts } => ({
  problem: { slug: "validation-error", detail: `header ${header}: ${detail}`, remedy, errors: [] },
});

/** Reads the headers of a write. What cannot be obeyed is refused; what is only a wish (Prefer, traceparent) is not. */
export function writeHeaders(headers: IncomingHttpHeaders): WriteHeaders | { readonly problem: ProblemFacts } {
  const key = headers["idempotency-key"];
  if (
    key !== undefined &&
    (typeof key !== "string" || !/^[\x21-\x7e][\x20-\x7e]*$/.test(key) || key.length > KEY_MAX)
  ) {
    return bad("Idempotency-Key", `must be 1 to ${KEY_MAX} printable ASCII characters`, "a random UUID does well");
  }
  const version = ifMatch(headers["if-match"]);
  if (version === null) {
    return bad("If-Match", 'must be one version in quotes, as in "41"', "use the version of GET /v1/axes/{axis}");
  }
  const leaseToken = leaseTokenOf(headers);
  if (leaseToken === null)
    return bad("Lease-Token", "must be the token that the grant of a lease answered", "leave it out without a lease");
  const { traceparent } = headers;
  const traced = typeof traceparent === "string" && TRACEPARENT.test(traceparent);
  const waitS = preferredWait(headers["prefer"]);
  return {
    ...(key === undefined ? {} : { key }),
    ...(version === undefined ? {} : { expectedVersion: version }),
    ...(traced ? { traceparent } : {}),
    ...(leaseToken === undefined ? {} : { leaseToken }),
    ...(waitS === undefined ? {} : { waitS }),
  };
}

/** The header as it came; undefined without one, null when it can be no token. */
export function leaseTokenOf(headers: IncomingHttpHeaders): string | null | undefined {
  const token = headers["lease-token"];
  if (token === undefined) return undefined;
  return typeof token === "string" && /^[\x21-\x7e]{1,128}$/.test(token) ? token : null;
}

/** W3C Trace Context, version 00; all-zero ids mean nothing. */
const TRACEPARENT = /^00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}$/;

/** RFC 9110, 8.8.3. */
const ENTITY_TAG = /^(?:W\/)?"[\x21\x23-\x7e\x80-\xff]*"$/;
/** What an entity tag stands for that no axis ever had. */
const NO_VERSION = -1;

/**
 * The version asked for; undefined when any will do, null when it cannot be read. A weak tag matches nothing, since
 * If-Match compares strongly (RFC 9110, 13.1.1), and neither does a tag that is no version.
 */
function ifMatch(header: string | undefined): number | null | undefined {
  const tag = header?.trim();
  if (tag === undefined || tag === "*") return undefined;
  if (!ENTITY_TAG.test(tag)) return null;
  const version = /^"(0|[1-9][0-9]{0,15})"$/.exec(tag)?.[1];
  return version === undefined ? NO_VERSION : Number(version);
}

/** RFC 7240: `wait=S`. A preference that cannot be read is no preference. */
function preferredWait(header: string | string[] | undefined): number | undefined {
  const text = Array.isArray(header) ? header.join(",") : (header ?? "");
  const match = /(?:^|,)\s*wait\s*=\s*"?(\d{1,6})"?\s*(?:;[^,]*)?(?=,|$)/i.exec(text);
  return match ? Math.min(Number(match[1]), WAIT_MAX_S) : undefined;
}
