import { parseLogPosition, parseRfc3339 } from "@servofleet/contracts";
import { badParameter } from "./problem-reply.ts";
import type { ReadQuery } from "./query-schema.ts";
import type { ReadServices } from "./read-route.ts";

/** A position of this log from `<n>` or `<logId>.<n>`. Throws ReadRefused for another log's. */
export function positionOf(name: string, text: string, logId: string): number {
  if (/^\d+$/.test(text)) return Number(text);
  const token = parseLogPosition(text);
  if (token?.logId === logId) return token.position;
  throw badParameter(
    name,
    `${text} is a position of another log; this one is ${logId}`,
    "the log was replaced: forget old positions and read again",
  );
}

/** The position a read of the past asks for; null for now. */
export async function pastPosition({ model }: ReadServices, query: ReadQuery): Promise<number | null> {
  if (query.at !== undefined && query.atPosition !== undefined)
    throw badParameter("atPosition", "not together with at", "give at or atPosition");
  if (query.at !== undefined) return model.log.positionAtWall(wallOf("at", query.at));
  if (query.atPosition === undefined) return null;
  const position = positionOf("atPosition", query.atPosition, model.log.logId);
  if (position > model.known)
    throw badParameter("atPosition", `beyond the newest position ${model.known}`, `ask for 0 to ${model.known}`);
  return position;
}

/** Microseconds of an RFC 3339 time in a query. */
export function wallOf(name: string, text: string): number {
  const us = parseRfc3339(text);
  if (us === undefined) throw badParameter(name, "not an RFC 3339 time", "write it as 2026-11-21T10:15:00Z");
  return us;
}
