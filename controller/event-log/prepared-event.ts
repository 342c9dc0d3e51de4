import type { EventChecker } from "@servofleet/contracts";
import { assert } from "@servofleet/runtime/assert";
import type { NewEvent } from "./event-log.ts";

/** An event whose data was checked and written as text: what waits in the queue. */
export interface PreparedEvent extends NewEvent {
  readonly dataText: string;
}

const STREAM_NAME = /^(axis|link|box|run)-[a-z0-9_-]{1,64}$/;
/** Printable and without lone surrogates, so that the text on disk is the text that was hashed. */
const PLAIN = /^[^\p{Cc}\p{Cs}]{1,256}$/u;

/** Checks one event at the door of the log. Pure. What is wrong here is our own bug: AssertionFailed. */
export function prepareEvent(given: NewEvent, check: EventChecker): PreparedEvent {
  assert(STREAM_NAME.test(given.stream), `${given.stream} is no stream`);
  const wrong = check(given.event);
  assert(wrong === null, `an event must be as its schema says: ${wrong}`);
  for (const text of [
    given.id,
    given.commandId,
    given.correlationId,
    given.causationId,
    given.actor,
    given.traceparent,
  ])
    assert(text === undefined || PLAIN.test(text), `an envelope field holds odd characters: ${JSON.stringify(text)}`);
  return { ...given, dataText: JSON.stringify(given.event.data) };
}

/** The first id of a call that is known, or that the call itself holds twice. */
export function repeatedId(
  prepared: readonly PreparedEvent[],
  known: { has(id: string): boolean },
): string | undefined {
  const ids = prepared.flatMap(({ id }) => (id === undefined ? [] : [id]));
  return ids.find((id, index) => known.has(id) || ids.indexOf(id) !== index);
}
