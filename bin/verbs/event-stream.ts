import { type Clock, sleep } from "@servofleet/runtime/clock";
import { open, problemOf, type Target, UnreachableError } from "./api-client.ts";
import type { Output } from "./output.ts";

/** One server-sent event. */
export interface StreamEvent {
  readonly id: string;
  readonly event: string;
  readonly data: string;
}

/** The stream beats several times in this time, ms: a longer silence means that it is dead. */
const SILENCE_MAX_MS = 45_000;
const RETRY_MS = 500;
/** How long the box may be away (a service that is started again) before a follower gives up, ms. */
const AWAY_MAX_MS = 30_000;

interface Follower {
  readonly target: Target;
  readonly out: Output;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

/**
 * Follows a stream until the signal aborts; one that breaks is taken up again behind the last event that came.
 * @throws RefusedError | UnreachableError
 */
export async function followStream(
  { target, out, clock, signal }: Follower,
  path: string,
  onEvent: (event: StreamEvent) => void,
): Promise<void> {
  let lastId = "";
  let awaySinceMs: number | undefined;
  let came = false;
  const take = (event: StreamEvent): void => {
    lastId = event.id || lastId;
    awaySinceMs = undefined;
    came = true;
    if (event.data) onEvent(event);
  };
  while (!signal.aborted) {
    try {
      await follow(target, path, lastId, take, signal);
      if (signal.aborted) return;
      throw new UnreachableError(target, "the stream broke off");
    } catch (error) {
      const nowMs = clock.monotonicMs();
      if (awaySinceMs === undefined && came) out.note(`${(error as Error).message}; looking for it again`);
      awaySinceMs ??= nowMs;
      if (!came || nowMs - awaySinceMs > AWAY_MAX_MS) throw error;
    }
    await sleep(clock, RETRY_MS);
  }
}

/** One connection; resolves when the stream ends or the signal aborts. */
function follow(
  target: Target,
  path: string,
  lastId: string,
  onEvent: (event: StreamEvent) => void,
  signal: AbortSignal,
): Promise<void> {
  const headers = { accept: "text/event-stream", ...(lastId ? { "last-event-id": lastId } : {}) };
  return new Promise((resolve, reject) => {
    const outgoing = open(target, "GET", path, headers);
    signal.addEventListener("abort", () => outgoing.destroy(), { once: true });
    outgoing.setTimeout(SILENCE_MAX_MS, () => outgoing.destroy());
    outgoing.on("error", (error: NodeJS.ErrnoException) =>
      signal.aborted ? resolve() : reject(new UnreachableError(target, error.code ?? error.message)),
    );
    outgoing.on("close", resolve);
    outgoing.on("response", (incoming) => {
      let rest = "";
      incoming.setEncoding("utf8");
      incoming.on("error", () => resolve());
      incoming.on("data", (chunk: string) => {
        rest += chunk;
        if (incoming.statusCode !== 200) return;
        const blocks = rest.split("\n\n");
        rest = blocks.pop() ?? "";
        for (const block of blocks) onEvent(parseEvent(block));
      });
      incoming.on("end", () => {
        const problem = incoming.statusCode === 200 ? undefined : problemOf(incoming.statusCode ?? 0, rest);
        if (problem) reject(problem);
        else resolve();
      });
    });
    outgoing.end();
  });
}

function parseEvent(block: string): StreamEvent {
  const field = (name: string) =>
    block
      .split("\n")
      .filter((line) => line.startsWith(`${name}:`))
      .map((line) => line.slice(name.length + 1).replace(/^ /, ""))
      .join("\n");
  return { id: field("id"), event: field("event") || "message", data: field("data") };
}
