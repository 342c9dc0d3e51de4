import { EVENT_SCHEMA_VERSION, EVENT_SCHEMAS } from "@servofleet/contracts";
import { AxisSchema, EventSchema } from "./response-schema.ts";

/** The AsyncAPI 3 document of both streams: every event type with the shape of its data. */
export function asyncapiDocument(version: string) {
  const types = Object.entries(EVENT_SCHEMAS);
  const messages = Object.fromEntries(
    types.map(([name, data]) => [
      name,
      {
        name: `servofleet.${name}.v${EVENT_SCHEMA_VERSION}`,
        contentType: "application/cloudevents+json",
        payload: {
          ...EventSchema,
          properties: {
            ...EventSchema.properties,
            type: { type: "string", const: `servofleet.${name}.v${EVENT_SCHEMA_VERSION}` },
            data,
          },
        },
      },
    ]),
  );
  const inChannel = (channel: string, names: readonly string[]) =>
    names.map((name) => ({ $ref: `#/channels/${channel}/messages/${name}` }));
  return {
    asyncapi: "3.0.0",
    info: { title: "Servofleet events", version, license: { name: "Apache-2.0" } },
    defaultContentType: "application/json",
    channels: {
      events: {
        address: "/v1/events/stream",
        description:
          "SSE. `id` is the log position; `Last-Event-ID` resumes without gap or duplicate; `event: reset` means the log is another one.",
        messages: Object.fromEntries(types.map(([name]) => [name, { $ref: `#/components/messages/${name}` }])),
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
        messages: inChannel(
          "events",
          types.map(([name]) => name),
        ),
      },
      receiveLive: { action: "receive", channel: { $ref: "#/channels/live" }, messages: inChannel("live", ["Axis"]) },
    },
    components: { messages: { ...messages, Axis: { name: "Axis", payload: AxisSchema } } },
  };
}
