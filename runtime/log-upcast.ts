import { EVENT_SCHEMA_VERSION, EVENT_SCHEMAS, type EventType, type RecordedEvent } from "@servofleet/contracts";

/** An event as it was written: any type that ever shipped, in the shape of its version. */
export interface WrittenEvent {
  readonly type: string;
  readonly schema: number;
  readonly data: unknown;
}

/** From one version to the next: new data, and a new type where it was renamed. Pure, and never undone: rows stay as they are. */
export type Upcast = (data: unknown) => { readonly type?: EventType; readonly data: unknown };

/**
 * By type, the step from version 1 to 2 first, then that from 2 to 3. The version written today is one more than there are
 * steps, so a new shape is one new line here, its new schema in the contracts, and a fixture of the old shape in the corpus.
 */
export const UPCASTS: Readonly<Record<string, readonly Upcast[]>> = {};

/** Version of a type's shape that is written today. */
export const eventVersion = (type: string, upcasts = UPCASTS): number =>
  EVENT_SCHEMA_VERSION + (upcasts[type]?.length ?? 0);

/** The event in today's shape, or undefined when it was written by a newer version. Pure. */
export function upcastEvent(
  written: WrittenEvent,
  upcasts: Readonly<Record<string, readonly Upcast[]>> = UPCASTS,
): { readonly type: EventType; readonly schema: number; readonly data: RecordedEvent["data"] } | undefined {
  let { type, schema, data } = written;
  for (;;) {
    const step = upcasts[type]?.[schema - EVENT_SCHEMA_VERSION];
    if (!step) break;
    const next = step(data);
    data = next.data;
    // A renamed event goes on in the first version of its new name.
    schema = next.type === undefined || next.type === type ? schema + 1 : EVENT_SCHEMA_VERSION;
    type = next.type ?? type;
  }
  if (!Object.hasOwn(EVENT_SCHEMAS, type) || schema !== eventVersion(type, upcasts)) return undefined;
  return { type: type as EventType, schema, data: data as RecordedEvent["data"] };
}
