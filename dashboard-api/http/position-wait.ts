import { logPosition } from "@servofleet/contracts";
import { positionOf } from "./past-position.ts";
import { ReadRefused } from "./problem-reply.ts";
import { DEFAULTS, type ReadQuery } from "./query-schema.ts";
import type { ReadRoute, ReadServices } from "./read-route.ts";

const RETRY_AFTER = { "retry-after": "1" };

/** Waits until the projections of a route have `minPosition`. Throws ReadRefused when they do not get there in time. */
export async function awaitPosition({ model }: ReadServices, route: ReadRoute, query: ReadQuery): Promise<void> {
  if (query.minPosition === undefined) return;
  const { logId } = model.log;
  const wanted = positionOf("minPosition", query.minPosition, logId);
  const waitMs = query.waitMs ?? DEFAULTS.waitMs;
  model.log.hurry?.();
  const reached = await model.waiters.wait(() => model.position(route.uses) >= wanted, waitMs);
  if (reached === true) return;
  const at = logPosition(logId, model.position(route.uses));
  if (reached === "full")
    throw new ReadRefused(
      { slug: "service-unavailable", detail: "too many requests wait for a position", remedy: "ask again in a second" },
      RETRY_AFTER,
    );
  throw new ReadRefused(
    {
      slug: "read-model-behind",
      detail: `the read model is at ${at}, not yet at ${query.minPosition} after ${waitMs} ms`,
      remedy: "ask again with a longer waitMs, or without minPosition for what is known now",
    },
    RETRY_AFTER,
  );
}

/** Before the first catch-up an answer would show a past that never says so. */
export function refuseUntilReady({ model }: Pick<ReadServices, "model">): void {
  if (model.ready) return;
  throw new ReadRefused(
    {
      slug: "service-unavailable",
      detail: "the read model is being built from the log",
      remedy: "ask again in a second; /readyz?verbose shows how far it is",
    },
    RETRY_AFTER,
  );
}
