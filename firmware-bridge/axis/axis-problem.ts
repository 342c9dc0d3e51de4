import type { OrderRefusal, ProblemFacts, ProblemSlug } from "@servofleet/contracts";
import { HandshakeError } from "../handshake/drive-talk.ts";
import { LinkError } from "../link/link.ts";

const TEXT_MAX = 500;

export const axisProblem = (slug: ProblemSlug, detail: string, remedy: string): ProblemFacts => ({
  slug,
  detail: detail.slice(0, TEXT_MAX),
  remedy: remedy.slice(0, TEXT_MAX),
});

/** Names of the Modbus exceptions (Modbus application protocol v1.1b3, 7); 08 is Leadshine's answer to a bad CRC. */
const EXCEPTIONS: Readonly<Record<number, string>> = {
  1: "illegal function",
  2: "illegal data address",
  3: "illegal data value",
  4: "device failure",
  5: "acknowledge",
  6: "device busy",
  8: "memory parity error, or a damaged frame",
};

/** What a failed transaction or handshake means to the person who asked. */
export function problemOf(error: unknown, unit: string): ProblemFacts {
  if (error instanceof HandshakeError) {
    const slug = (
      { fault: "drive-fault", unsupported: "unsupported-by-drive", "not-ready": "axis-not-ready" } as const
    )[error.code as "fault" | "unsupported" | "not-ready"];
    return axisProblem(slug ?? "drive-exception", `${unit}: ${error.hint}`, "look at the drive, then ask again");
  }
  if (!(error instanceof LinkError))
    return axisProblem("internal-error", `${unit}: ${String(error)}`, "report this; the axis was not driven on");
  if (error.code === "exception") {
    const code = Number(error.facts["exceptionCode"]);
    const name = EXCEPTIONS[code] ?? "unknown exception";
    return axisProblem(
      "drive-exception",
      `${unit} answered with exception ${code} (${name}); nothing was applied`,
      error.hint,
    );
  }
  if (error.code === "no-reply" || error.code === "link-lost") {
    return axisProblem("bus-timeout", `${unit} did not answer (${error.code})`, error.hint);
  }
  const slug: ProblemSlug =
    error.code === "breaker-open" ? "axis-offline" : error.code === "queue-full" ? "queue-full" : "link-down";
  return axisProblem(slug, `${unit}: ${error.message}`, error.hint);
}

/** The refusal behind an error that left before any byte did. */
export function refusalOf(error: LinkError): OrderRefusal {
  switch (error.code) {
    case "expired":
      return "expired";
    case "queue-full":
      return "queue-full";
    case "breaker-open":
      return "axis-offline";
    default:
      return "link-down";
  }
}

/** Whether the drive may have applied a write that failed so. */
export const mayHaveArrived = (error: unknown): boolean =>
  error instanceof LinkError && error.sent && error.code !== "exception";
