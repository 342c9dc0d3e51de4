import type { ProblemFacts } from "@servofleet/contracts";
import { AssertionFailed } from "@servofleet/runtime/assert";
import { LogError } from "../event-log/event-log.ts";
import { logUnavailable } from "../inbox/admission.ts";
import { RepeatedFieldError } from "./repeated-field.ts";

/** Longest body of any write. */
export const BODY_MAX_BYTES = 64 * 1024;

const invalid = (detail: string, remedy: string): ProblemFacts => ({
  slug: "validation-error",
  detail,
  remedy,
  errors: [],
});

/** What a request's own fault is called; null when the fault is ours. */
function requestFault(code: string, status: number | undefined): ProblemFacts | null {
  switch (code) {
    case "FST_ERR_CTP_BODY_TOO_LARGE":
      return {
        slug: "payload-too-large",
        detail: `the body is larger than ${BODY_MAX_BYTES} bytes`,
        remedy: "send one command per request",
      };
    case "FST_ERR_CTP_INVALID_MEDIA_TYPE":
      return {
        slug: "unsupported-media-type",
        detail: "the body is not application/json",
        remedy: "send JSON with Content-Type: application/json",
      };
    case "FST_ERR_CTP_INVALID_JSON_BODY":
      return {
        ...invalid("the body is not JSON", "send one JSON object in UTF-8; look for a missing brace, comma or quote"),
        errors: [{ pointer: "", detail: "not JSON" }],
      };
    case "FST_ERR_CTP_EMPTY_JSON_BODY":
      return invalid("the body is empty", "send a JSON object");
    case "FST_ERR_CTP_INVALID_CONTENT_LENGTH":
      return invalid("the body is not as long as Content-Length says", "send it again as it is");
    case "FST_ERR_BAD_URL":
    case "FST_ERR_MAX_PARAM_LENGTH":
      return invalid("the path cannot be read", "check its percent-encoding and length");
    default:
      return status !== undefined && status >= 400 && status < 500
        ? invalid("the request cannot be read", "send it as JSON over HTTP/1.1")
        : null;
  }
}

/** What is told of an error that reached the server: never a stack, never a word from inside. */
export function problemOfError(error: unknown): ProblemFacts {
  if (error instanceof LogError) return logUnavailable(error.code);
  if (error instanceof RepeatedFieldError) {
    const pointer = `/${error.facts.field.replaceAll("~", "~0").replaceAll("/", "~1")}`.slice(0, 200);
    return { ...invalid(error.message.slice(0, 300), error.hint), errors: [{ pointer, detail: "stands there twice" }] };
  }
  const { code, statusCode, name } = error as { code?: string; statusCode?: number; name?: string };
  if (name === "SyntaxError" && !(error instanceof AssertionFailed)) {
    const where = error instanceof Error ? error.message.replace(/[^\x20-\x7e]/g, "?").slice(0, 200) : "";
    return invalid(`the body is not JSON: ${where}`, "send a JSON object in UTF-8");
  }
  return (
    requestFault(code ?? "", statusCode) ?? {
      slug: "internal-error",
      detail: "something went wrong here; the controller's log has more",
      remedy: "ask again with the same Idempotency-Key; if it stays, report it with the time",
    }
  );
}
