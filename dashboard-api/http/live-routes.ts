import type { LiveStream } from "../live/live-stream.ts";
import { shownAxes } from "./axis-routes.ts";
import { refuseWhenFull } from "./event-stream.ts";
import { unknownId } from "./problem-reply.ts";
import type { ReadQuery } from "./query-schema.ts";
import type { ReadRoute, ReadServices } from "./read-route.ts";
import { SseChannel, type SseChannels } from "./sse-channel.ts";

export const routesOfLive = ({ model, clock }: ReadServices, live: LiveStream, channels: SseChannels): ReadRoute[] => [
  {
    path: "/v1/live",
    summary:
      "Newest values per axis (SSE), at most 20 a second each; every message is one axis as GET /v1/axes/{axis} shows it",
    query: "live",
    answers: "Axis",
    uses: ["axes"],
    problems: [404],
    async stream(request, reply) {
      const { axis } = request.query as ReadQuery;
      const known = shownAxes(model.projectors.axes.rows.values()).map((row) => row.id);
      if (axis !== undefined && !known.includes(axis)) throw unknownId("axis", axis, known);
      refuseWhenFull(channels);
      const channel = new SseChannel(request, reply, clock);
      channels.add(channel);
      live.add(channel, axis);
    },
  },
];
