import type { Socket } from "node:net";
import { PROBLEMS, type ProblemFacts, problemDocument } from "@servofleet/contracts";

/** What Node's parser says of a request that never became one. */
export interface ParserError extends Error {
  readonly code?: string;
}

export function unreadable({ code }: ParserError): ProblemFacts {
  const slug = "validation-error";
  if (code === "HPE_HEADER_OVERFLOW")
    return { slug, detail: "the headers are longer than 16 KiB", remedy: "send fewer headers, or shorter ones" };
  if (code === "HPE_INVALID_METHOD")
    return { slug, detail: "there is no such HTTP method", remedy: "use GET, HEAD, POST or DELETE" };
  if (code === "ERR_HTTP_REQUEST_TIMEOUT")
    return { slug, detail: "the request did not end in time", remedy: "send it in one go" };
  return {
    slug,
    detail: "this is not an HTTP/1.1 request that can be read",
    remedy: "look at its first line and headers",
  };
}

/** Answers what no route will ever see, with a problem document as everywhere else, and hangs up. */
export function answerUnreadable(error: ParserError, socket: Socket): void {
  if (error.code === "ECONNRESET" || socket.destroyed || !socket.writable) return;
  const facts = unreadable(error);
  const body = JSON.stringify(problemDocument(facts, "/"));
  socket.end(
    [
      `HTTP/1.1 ${PROBLEMS[facts.slug].status} Bad Request`,
      "Content-Type: application/problem+json",
      "Cache-Control: no-store",
      "Connection: close",
      `Content-Length: ${Buffer.byteLength(body)}`,
      "",
      body,
    ].join("\r\n"),
  );
}
