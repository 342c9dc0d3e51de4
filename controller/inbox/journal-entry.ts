import { type AxisId, axisStream, type DomainEvent, type StreamName } from "@servofleet/contracts";
import type { AxisEvent } from "../domain/axis-event.ts";
import type { NewEvent } from "../event-log/event-log.ts";

/** Who and what brought a decision about, for the envelope of its events. */
export interface Origin {
  readonly actor?: string;
  readonly traceparent?: string;
}

/** Decided facts of one stream that go into the log together. */
export type JournalEntry =
  | { readonly axis: AxisId; readonly events: readonly AxisEvent[]; readonly origin?: Origin }
  | { readonly stream: StreamName; readonly events: readonly DomainEvent[]; readonly origin?: Origin };

/** The rows of an entry. The correlation is the command, else what brought it about. */
export function newEvents(entry: JournalEntry): readonly NewEvent[] {
  const { actor, traceparent } = entry.origin ?? {};
  const origin = {
    ...(actor === undefined ? {} : { actor }),
    ...(traceparent === undefined ? {} : { traceparent }),
  };
  if ("stream" in entry) return entry.events.map((event) => ({ stream: entry.stream, event, ...origin }));
  const stream = axisStream(entry.axis);
  return entry.events.map(({ event, commandId, id, causationId }) => {
    const correlationId = commandId ?? causationId;
    return {
      stream,
      event,
      ...origin,
      ...(id === undefined ? {} : { id }),
      ...(commandId === undefined ? {} : { commandId }),
      ...(correlationId === undefined ? {} : { correlationId }),
      ...(causationId === undefined ? {} : { causationId }),
    };
  });
}
