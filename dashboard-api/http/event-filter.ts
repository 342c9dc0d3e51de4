import { EVENT_SCHEMAS, type RecordedEvent } from "@servofleet/contracts";
import { badParameter } from "./problem-reply.ts";
import type { ReadQuery } from "./query-schema.ts";

/** Which events a client wants. Throws ReadRefused for a type that does not exist: a misspelt filter is no empty answer. */
export function eventFilter({ type, axis }: ReadQuery): (event: RecordedEvent) => boolean {
  const types = type === undefined ? null : new Set(type.split(",").map(typeName));
  const stream = axis === undefined ? null : `axis-${axis}`;
  return (event) => (types === null || types.has(event.type)) && (stream === null || event.stream === stream);
}

function typeName(text: string): string {
  const name = text.trim().replace(/^servofleet\.(.+)\.v\d+$/, "$1");
  if (Object.hasOwn(EVENT_SCHEMAS, name)) return name;
  throw badParameter("type", `no event type "${text.trim().slice(0, 80)}"`, "/asyncapi.json lists the event types");
}
