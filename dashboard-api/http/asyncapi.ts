import { EVENT_SCHEMA_VERSION, EVENT_SCHEMAS } from "@servofleet/contracts";
import { AxisSchema, EventSchema } from "./response-schema.ts";

const types = Object.entries(EVENT_SCHEMAS);

/** Every event type as a CloudEvent with the shape of its own data. */
const eventMessages = () =>
  Object.fromEntries(
    types.map(([event, data]) => {
      const name = `servofleet.${event}.v${EVENT_SCHEMA_VERSION}`;
      const properties = { ...EventSchema.properties, type: { type: "string", const: name }, data };
      return [event, { name, contentType: "application/cloudevents+json", payload: { ...EventSchema, properties } }];
    }),
  );

const inChannel = (channel: string, names: readonly string[]) =>
  names.map((name) => ({ $ref: `#/channels/${channel}/messages/${name}` }));

/** The AsyncAPI 3 document of both streams. */
export function asyncapiDocument(version: string) {
  const names = types.map(([name]) => name);
  return {
    asyncapi: "3.0.0",
    info: { title: "Servofleet events", version, license: { name: "Apache-2.0" } },
    defaultContentType: "application/json",
    channels: {
      events: {
        address: "/v1/events/stream",
        description:
          "SSE. `id` is the log position; `Last-Event-ID` resumes without gap or duplicate; `event: reset` means the log is another one.",
        messages: Object.fromEntries(names.map((name) => [name, { $ref: `#/components/messages/${name}` }])),
      },
      live: {
        address: "/v1/live",
        description: "SSE. Newest values per axis, at most 20 a second; lossy.",
        messages: { Axis: { $ref: "#/components/messages/Axis" } },
      },
    },
    operations: {
      receiveEvents: {
        action: "receive",
        channel: { $ref: "#/channels/events" },
        messages: inChannel("events", names),
      },
      receiveLive: { action: "receive", channel: { $ref: "#/channels/live" }, messages: inChannel("live", ["Axis"]) },
    },
    components: { messages: { ...eventMessages(), Axis: { name: "Axis", payload: AxisSchema } } },
  };
}
