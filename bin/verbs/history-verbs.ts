import type { CloudEvent, CommandView, Page } from "@servofleet/contracts";
import { systemClock } from "@servofleet/runtime/system-clock";
import { call, type Target } from "./api-client.ts";
import { followStream } from "./event-stream.ts";
import { figure, type Output } from "./output.ts";

const EVENTS_PAGE = 200;
/** A command's story is looked for in at most this many pages of its axis's events. */
const STORY_PAGES_MAX = 50;

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

/** `why`: the whole story of one command, cause first. */
export async function tellWhy(target: Target, out: Output, commandId: string): Promise<number> {
  const { body: command } = await call<CommandView>(target, "GET", `/v1/commands/${encodeURIComponent(commandId)}`);
  const events = await eventsOf(target, command);
  out.show({ command, events }, () => story(command, events));
  return 0;
}

async function eventsOf(target: Target, command: CommandView): Promise<CloudEvent[]> {
  const positions = command.transitions.map((transition) => Number(transition.logPosition.split(".")[1]));
  const last = Math.max(...positions);
  const found: CloudEvent[] = [];
  let after = Math.min(...positions) - 1;
  for (let page = 0; page < STORY_PAGES_MAX && after < last; page++) {
    const { body } = await call<Page<CloudEvent>>(
      target,
      "GET",
      `/v1/events?axis=${command.axis}&afterPosition=${after}&limit=${EVENTS_PAGE}`,
    );
    if (body.items.length === 0) break;
    found.push(...body.items.filter((event) => event.commandid === command.commandId));
    after = Number(body.items.at(-1)?.logposition.split(".")[1] ?? last);
  }
  return found;
}

function story(command: CommandView, events: readonly CloudEvent[]): string {
  const accepted = events.find((event) => event.id === command.commandId);
  const decided = accepted?.data as
    | { sawState?: string; sawVersion?: number; target?: number | null; targetCounts?: number | null }
    | undefined;
  return [
    `${command.type} ${command.commandId} on ${command.axis}: ${command.state}${command.outcomeUnknown ? " (outcome unknown, being settled by reading)" : ""}`,
    `asked by   ${command.principal}: ${JSON.stringify(command.request)}`,
    decided?.sawState === undefined
      ? undefined
      : `decided    seeing ${command.axis} in ${decided.sawState}, version ${decided.sawVersion}; target ${figure(decided.target ?? null)} (${figure(decided.targetCounts ?? null)} counts)`,
    "log",
    ...events.map((event) => `  ${event.logposition}  ${event.time}  ${event.type.replace(/^servofleet\./, "")}`),
    "wire",
    ...(command.frames.length === 0
      ? ["  nothing was sent"]
      : command.frames.map((frame) => `  ${frame.at}  ${frame.direction}  ${spaced(frame.hex)}`)),
    confirmation(command),
    command.settled === null ? undefined : `settled    ${command.settled}`,
  ]
    .filter((line) => line !== undefined)
    .join("\n");
}

const spaced = (hex: string): string => hex.replace(/(..)(?=.)/g, "$1 ");

function confirmation(command: CommandView): string {
  if (command.problem)
    return `ended      ${command.problem.title}: ${command.problem.detail}; ${command.problem.remedy}`;
  if (command.state === "succeeded")
    return `confirmed  by measurement${command.finalError === null ? "" : `, final error ${figure(command.finalError)}`}`;
  return `now        ${command.state}${command.reason === null ? "" : `: ${command.reason}`}`;
}
