import type { Frame } from "@servofleet/contracts";
import { LinkError, type LinkErrorCode } from "./link.ts";

/** What to do next, by code. */
const HINTS: Readonly<Record<LinkErrorCode, string>> = {
  "no-reply": "the drive did not answer in time: check its power, its wiring and its unit switch",
  exception: "the drive refused the request: see the exception code and the profile's register map",
  expired: "the line had no room before the deadline: ask for more time or poll less",
  withdrawn: "the request was overtaken before its first byte",
  "queue-full": "too much is waiting on this line: poll less, or put drives on another line",
  "link-down": "the port or connection is down: check the adapter, the cable or the address",
  "breaker-open": "the drive has stopped answering and is probed until it answers again",
  "link-lost": "the port or connection broke while the request was under way",
  closed: "the link was closed",
};

/** A LinkError with the hint of its code. */
export const failure = (
  code: LinkErrorCode,
  facts: Readonly<Record<string, unknown>>,
  sent = false,
  frames: readonly Frame[] = [],
): LinkError => new LinkError(code, facts, HINTS[code], sent, frames);
