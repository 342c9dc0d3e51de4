import { logPosition } from "./ids.ts";
import type { RecordedEvent } from "./recorded-event.ts";
import { rfc3339 } from "./time.ts";

/** An event at the border: CloudEvents 1.0 JSON with our extension attributes (lower case, as the specification asks). */
export interface CloudEvent {
  readonly specversion: "1.0";
  readonly id: string;
  readonly source: string;
  readonly type: string;
  readonly subject: string;
  readonly time: string;
  readonly datacontenttype: "application/json";
  readonly logposition: string;
  readonly streamversion: number;
  readonly epoch: number;
  readonly commandid: string | null;
  readonly correlationid: string;
  readonly causationid: string | null;
  readonly actor: string | null;
  readonly traceparent: string | null;
  readonly data: unknown;
}

/** The CloudEvent of a recorded event; `box` becomes the source. */
export function toCloudEvent(event: RecordedEvent, box: string, logId: string): CloudEvent {
  return {
    specversion: "1.0",
    id: event.id,
    source: `/boxes/${box}`,
    type: `servofleet.${event.type}.v${event.schema}`,
    subject: event.stream,
    time: rfc3339(event.wallUs),
    datacontenttype: "application/json",
    logposition: logPosition(logId, event.position),
    streamversion: event.version,
    epoch: event.epoch,
    commandid: event.commandId,
    correlationid: event.correlationId,
    causationid: event.causationId,
    actor: event.actor,
    traceparent: event.traceparent,
    data: event.data,
  };
}
