import type { CloudEvent, Page } from "@servofleet/contracts";
import { systemClock } from "@servofleet/runtime/system-clock";
import { call, type Target } from "./api-client.ts";
import { followStream } from "./event-stream.ts";
import type { Output } from "./output.ts";

/** `events`: the newest events, or all that come (`--follow`). */
export async function showEvents(
  target: Target,
  out: Output,
  options: { follow: boolean; axis?: string; type?: string; after?: string; limit: number },
  signal: AbortSignal,
): Promise<number> {
  const query = new URLSearchParams({
    ...(options.axis ? { axis: options.axis } : {}),
    ...(options.type ? { type: options.type } : {}),
  });
  if (options.follow) {
    const path = `/v1/events/stream${query.size > 0 ? `?${query}` : ""}`;
    await followStream({ target, out, clock: systemClock(), signal }, path, ({ event, data }) => {
      if (event === "reset") out.note("the log is another one now: what follows is from its end");
      else out.show(JSON.parse(data), () => eventLine(JSON.parse(data) as CloudEvent));
    });
    return 0;
  }
  query.set("limit", String(options.limit));
  query.set("afterPosition", options.after ?? String(Math.max(0, (await newestPosition(target)) - options.limit)));
  const { body } = await call<Page<CloudEvent>>(target, "GET", `/v1/events?${query}`);
  out.show(body, () => body.items.map(eventLine).join("\n"));
  return 0;
}

async function newestPosition(target: Target): Promise<number> {
  const { headers } = await call(target, "GET", "/v1/events?limit=1");
  return Number(String(headers["x-position"] ?? ".0").split(".")[1]);
}

const eventLine = (event: CloudEvent): string =>
  `${event.time}  ${event.logposition.split(".")[1]?.padStart(6)}  ${event.subject.padEnd(14)} ${event.type.replace(/^servofleet\./, "")}  ${JSON.stringify(event.data).slice(0, 160)}`;
