import { type CloudEvent, logPosition, toCloudEvent } from "@servofleet/contracts";
import { PAGE_EVENTS } from "../read-model/log-source.ts";
import { eventFilter } from "./event-filter.ts";
import { streamEvents } from "./event-stream.ts";
import { positionOf } from "./past-position.ts";
import { DEFAULTS, type ReadQuery } from "./query-schema.ts";
import { type Answer, type Asked, json, type ReadRoute, type ReadServices } from "./read-route.ts";
import type { SseChannels } from "./sse-channel.ts";

/** Events one request looks at: a rare type is found over several pages, each with a cursor, not in one long read. */
const SCAN_MAX = 20_000;

export function routesOfEvents(services: ReadServices, channels: SseChannels): ReadRoute[] {
  return [
    {
      path: "/v1/events",
      summary: "Recorded events in order of their log position, as CloudEvents",
      query: "events",
      answers: "EventList",
      uses: [],
      problems: [],
      answer: (asked) => listEvents(services, asked),
    },
    {
      path: "/v1/events/stream",
      summary: "Events as they are recorded (SSE); Last-Event-ID resumes without gap or duplicate",
      query: "eventStream",
      answers: "Event",
      uses: [],
      problems: [],
      stream: (request, reply) => streamEvents(services, channels, request, reply),
    },
  ];
}

async function listEvents(services: ReadServices, { query }: Asked): Promise<Answer> {
  const { model, config } = services;
  if (query.command !== undefined) return eventsOfCommand(services, query, query.command);
  const { log } = model;
  const wanted = eventFilter(query);
  const start = query.cursor ?? query.afterPosition;
  let position = start === undefined ? 0 : positionOf(query.cursor ? "cursor" : "afterPosition", start, log.logId);
  const limit = query.limit ?? DEFAULTS.limit;
  const scanUntil = Math.min(position + SCAN_MAX, model.known);
  const items: CloudEvent[] = [];
  while (items.length < limit && position < scanUntil) {
    const page = await model.page(position, Math.min(PAGE_EVENTS, scanUntil - position));
    if (page.length === 0) break;
    for (const event of page) {
      if (items.length >= limit) break;
      position = event.position;
      if (wanted(event)) items.push(toCloudEvent(event, config.box, log.logId));
    }
  }
  return json({ items, nextCursor: position < model.known ? logPosition(log.logId, position) : null });
}

/** By the log's index: a story is found without reading what else happened meanwhile. */
async function eventsOfCommand({ model, config }: ReadServices, query: ReadQuery, command: string): Promise<Answer> {
  const { logId } = model.log;
  const start = query.cursor ?? query.afterPosition;
  const after = start === undefined ? 0 : positionOf(query.cursor ? "cursor" : "afterPosition", start, logId);
  const wanted = eventFilter(query);
  const found = (await model.log.readCommand(command)).filter((event) => event.position > after && wanted(event));
  const page = found.slice(0, query.limit ?? DEFAULTS.limit);
  const last = page.at(-1);
  return json({
    items: page.map((event) => toCloudEvent(event, config.box, logId)),
    nextCursor: found.length > page.length && last ? logPosition(logId, last.position) : null,
  });
}
