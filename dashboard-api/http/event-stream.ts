import { logPosition, parseLogPosition, toCloudEvent } from "@servofleet/contracts";
import type { FastifyReply, FastifyRequest } from "fastify";
import { PAGE_EVENTS } from "../read-model/log-source.ts";
import { eventFilter } from "./event-filter.ts";
import { positionOf } from "./past-position.ts";
import { ReadRefused } from "./problem-reply.ts";
import type { ReadQuery } from "./query-schema.ts";
import type { ReadServices } from "./read-route.ts";
import { SseChannel, type SseChannels, sseText } from "./sse-channel.ts";

export function refuseWhenFull(channels: SseChannels): void {
  if (!channels.full) return;
  throw new ReadRefused(
    {
      slug: "service-unavailable",
      detail: `${channels.size} streams are open already`,
      remedy: "close streams that nobody watches, then connect again",
    },
    { "retry-after": "5" },
  );
}

interface Start {
  readonly position: number;
  /** The client's id is of another log or beyond this one: what it knows is void. */
  readonly reset: boolean;
}

function startOf({ model }: ReadServices, query: ReadQuery, lastEventId: string | undefined): Start {
  const { logId } = model.log;
  if (lastEventId !== undefined && lastEventId !== "") {
    const token = parseLogPosition(lastEventId);
    const known = token?.logId === logId && token.position <= model.known;
    return known ? { position: token.position, reset: false } : { position: model.known, reset: true };
  }
  if (query.afterPosition === undefined) return { position: model.known, reset: false };
  return { position: positionOf("afterPosition", query.afterPosition, logId), reset: false };
}

/**
 * `GET /v1/events/stream`. Each client is a place in the log that moves on: it reads forward from there, at its own
 * pace, so there is neither gap nor duplicate and nothing is queued for a slow one.
 */
export async function streamEvents(
  services: ReadServices,
  channels: SseChannels,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<void> {
  const { model, config, clock } = services;
  const { logId } = model.log;
  const query = request.query as ReadQuery;
  const wanted = eventFilter(query);
  const lastEventId = request.headers["last-event-id"];
  const start = startOf(services, query, typeof lastEventId === "string" ? lastEventId : undefined);
  refuseWhenFull(channels);
  const channel = new SseChannel(request, reply, clock);
  channels.add(channel);
  let { position } = start;
  channel.markId = () => logPosition(logId, position);
  const here = logPosition(logId, position);
  if (start.reset) channel.write(sseText({ id: here, event: "reset", data: JSON.stringify({ logPosition: here }) }));
  const wake = wakeUp(model, channel.signal);
  while (!channel.signal.aborted) {
    if (position >= model.known) await wake(() => position < model.known);
    // A log that cannot be read ends the stream; the client comes back with its last id.
    const page = await model.page(position, PAGE_EVENTS).catch(() => []);
    if (page.length === 0) return channel.close();
    let text = "";
    for (const event of page) {
      if (event.position <= position) continue;
      position = event.position;
      if (!wanted(event)) continue;
      const data = JSON.stringify(toCloudEvent(event, config.box, logId));
      text += sseText({ id: logPosition(logId, position), data });
      if (text.length < FLUSH_BYTES) continue;
      channel.write(text);
      await channel.drained();
      text = "";
    }
    if (text !== "") channel.write(text);
    await channel.drained();
  }
}

/** Written at once at most; far below the channel's bound. */
const FLUSH_BYTES = 32 * 1024;

/** A wait for the model to move on that misses nothing between the look and the wait. */
function wakeUp(model: ReadServices["model"], signal: AbortSignal): (more: () => boolean) => Promise<void> {
  let release: (() => void) | null = null;
  const ring = () => release?.();
  const end = model.onAdvance(ring);
  signal.addEventListener("abort", () => {
    end();
    ring();
  });
  return (more) =>
    new Promise((resolve) => {
      if (more() || signal.aborted) return resolve();
      release = resolve;
    });
}
