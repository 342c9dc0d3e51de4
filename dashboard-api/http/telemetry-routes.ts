import { rfc3339 } from "@servofleet/contracts";
import type { TelemetryAnswer } from "../telemetry/telemetry-source.ts";
import { wallOf } from "./past-position.ts";
import { badParameter, unknownId } from "./problem-reply.ts";
import { DEFAULTS } from "./query-schema.ts";
import { type Answer, type Asked, json, type ReadRoute, type ReadServices } from "./read-route.ts";

/** What a plot shows when nobody says from when. */
const DEFAULT_SPAN_US = 60_000_000;

export const routesOfTelemetry = (services: ReadServices): ReadRoute[] => [
  {
    path: "/v1/axes/:axis/telemetry",
    summary: "Stored samples; smallest, largest and mean per bucket when there are more than `points`",
    query: "telemetry",
    answers: "Telemetry",
    uses: ["axes"],
    problems: [404],
    answer: (asked) => readTelemetry(services, asked),
  },
];

async function readTelemetry(services: ReadServices, { query, params }: Asked): Promise<Answer> {
  const { rows } = services.model.projectors.axes;
  const id = params["axis"] ?? "";
  const row = rows.get(id);
  if (!row?.configured)
    throw unknownId(
      "axis",
      id,
      [...rows.values()].filter((known) => known.configured).map((known) => known.id),
    );
  const toUs = query.to === undefined ? services.clock.wallUs() : wallOf("to", query.to);
  const fromUs = query.from === undefined ? toUs - DEFAULT_SPAN_US : wallOf("from", query.from);
  if (fromUs > toUs) throw badParameter("from", "later than to", "ask for a from before to");
  const answer = await services.telemetry.read(id, fromUs, toUs, query.points ?? DEFAULTS.points);
  return json({
    axis: id,
    unitName: row.unitName,
    kind: answer.kind,
    from: rfc3339(fromUs),
    to: rfc3339(toUs),
    items: itemsOf(answer),
    nextCursor: null,
  });
}

const itemsOf = (answer: TelemetryAnswer) =>
  answer.kind === "samples"
    ? answer.items.map(({ atUs, position, velocity, followingError, torque, temperature }) => ({
        at: rfc3339(atUs),
        position,
        velocity,
        followingError,
        torque,
        temperature,
      }))
    : answer.items.map(({ fromUs, toUs, count, position, velocity, followingError, torque, temperature }) => ({
        from: rfc3339(fromUs),
        to: rfc3339(toUs),
        count,
        position,
        velocity,
        followingError,
        torque,
        temperature,
      }));
