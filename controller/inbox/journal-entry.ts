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
  | {
      readonly stream: StreamName;
      readonly events: readonly DomainEvent[];
      readonly origin?: Origin;
      /** Fixed id of the first event: what it began is begun once. */
      readonly firstId?: string;
      readonly correlationId?: string;
    };

/** The stream whose state the entry was decided on. */
export const streamOf = (entry: JournalEntry): StreamName =>
  "stream" in entry ? entry.stream : axisStream(entry.axis);

/** The rows of an entry. The correlation is the command, else what brought it about. */
export function newEvents(entry: JournalEntry): readonly NewEvent[] {
  const { actor, traceparent } = entry.origin ?? {};
  const origin = {
    ...(actor === undefined ? {} : { actor }),
    ...(traceparent === undefined ? {} : { traceparent }),
  };
  if ("stream" in entry) {
    const { firstId, correlationId } = entry;
    return entry.events.map((event, n) => ({
      stream: entry.stream,
      event,
      ...origin,
      ...(n === 0 && firstId !== undefined ? { id: firstId } : {}),
      ...(correlationId === undefined ? {} : { correlationId }),
    }));
  }
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
