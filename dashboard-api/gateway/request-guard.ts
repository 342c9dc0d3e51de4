import type { IncomingHttpHeaders } from "node:http";
import type { ProblemFacts } from "@servofleet/contracts";

/** Largest body that is passed on; the largest command has a few hundred bytes. */
export const BODY_MAX_BYTES = 64 * 1024;
const LOOPBACK_NAMES = new Set(["localhost", "127.0.0.1", "[::1]"]);

/** Whether an address is this machine only (127.0.0.0/8, ::1, localhost). */
export const isLoopback = (host: string): boolean =>
  host === "localhost" || host === "::1" || /^127(\.\d{1,3}){3}$/.test(host);

/** Host name of a Host header or an origin, without the port. */
function hostName(authority: string): string {
  return authority.startsWith("[") ? authority.slice(0, authority.indexOf("]") + 1) : (authority.split(":")[0] ?? "");
}

/**
 * What a request must show before it reaches a service. Without users the loopback address is the only fence, and a web
 * page of somebody else in the operator's browser can reach it too: hence the checks of Host (a foreign name that was
 * made to resolve to this machine), of Origin (a foreign page), and of the content type (a form post needs no consent).
 */
export function guardRequest(
  method: string,
  headers: IncomingHttpHeaders,
  listenHost: string,
): ProblemFacts | undefined {
  const host = hostName((headers.host ?? "").toLowerCase());
  const allowed = [...new Set([...LOOPBACK_NAMES, listenHost])];
  if (!allowed.includes(host) && !isLoopback(host)) {
    return {
      slug: "forbidden",
      detail: `Host ${headers.host ?? "(none)"} is not this gateway`,
      remedy: `address it as ${allowed.join(", ")}`,
    };
  }
  const origin = headers.origin?.toLowerCase();
  if (origin !== undefined && originHost(origin) !== (headers.host ?? "").toLowerCase()) {
    return {
      slug: "forbidden",
      detail: `Origin ${headers.origin} is another site`,
      remedy: "open the dashboard from the gateway's own address",
    };
  }
  if (headers["sec-fetch-site"] === "cross-site") {
    return {
      slug: "forbidden",
      detail: "the request comes from another site",
      remedy: "open the dashboard from the gateway's own address",
    };
  }
  const hasBody = headers["transfer-encoding"] !== undefined || Number(headers["content-length"] ?? 0) > 0;
  // Looked at before a byte is passed on: a service that hangs up in the middle of a body would look like a dead one.
  if (Number(headers["content-length"] ?? 0) > BODY_MAX_BYTES) {
    return {
      slug: "payload-too-large",
      detail: `the body is larger than ${BODY_MAX_BYTES} bytes`,
      remedy: "send one command at a time",
    };
  }
  const type = (headers["content-type"] ?? "").split(";")[0]?.trim().toLowerCase();
  if (method !== "GET" && method !== "HEAD" && hasBody && type !== "application/json") {
    return {
      slug: "unsupported-media-type",
      detail: `content type ${type || "(none)"} is not accepted`,
      remedy: "send JSON with Content-Type: application/json",
    };
  }
  return undefined;
}

function originHost(origin: string): string | undefined {
  return /^https?:\/\/([^/]+)$/.exec(origin)?.[1];
}
