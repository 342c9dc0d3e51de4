import { rfc3339 } from "@servofleet/contracts";
import type { TelemetryAnswer, TelemetrySource } from "../telemetry/telemetry-source.ts";
import { wallOf } from "./past-position.ts";
import { badParameter, unknownId } from "./problem-reply.ts";
import { DEFAULTS } from "./query-schema.ts";
import { type Answer, type Asked, json, type ReadRoute, type ReadServices } from "./read-route.ts";

/** What a plot shows when nobody says from when. */
const DEFAULT_SPAN_US = 60_000_000;
/** As long as black boxes are kept. */
const BLACK_BOX_SPAN_US = 365 * 86_400_000_000;

export const routesOfTelemetry = (services: ReadServices): ReadRoute[] => [
  {
    path: "/v1/axes/:axis/telemetry",
    summary: "Stored samples; smallest, largest and mean per bucket when there are more than `points`",
    query: "telemetry",
    answers: "Telemetry",
    uses: ["axes"],
    problems: [404],
    answer: (asked) =>
      readTelemetry(services, asked, {
        spanUs: DEFAULT_SPAN_US,
        read: (...range) => services.telemetry.read(...range),
      }),
  },
  {
    path: "/v1/axes/:axis/black-box",
    summary:
      "Samples around the newest fault between `from` (default: a year ago) and `to`: 30 s before it, 10 s after",
    query: "telemetry",
    answers: "Telemetry",
    uses: ["axes"],
    problems: [404],
    answer: (asked) =>
      readTelemetry(services, asked, {
        spanUs: BLACK_BOX_SPAN_US,
        read: (...range) => services.telemetry.newestBlackBox(...range),
      }),
  },
];

/** What is read, and from how far back when nobody says. */
interface Wanted {
  readonly spanUs: number;
  readonly read: TelemetrySource["read"];
}

async function readTelemetry(
  services: ReadServices,
  { query, params }: Asked,
  { spanUs, read }: Wanted,
): Promise<Answer> {
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
  const fromUs = query.from === undefined ? toUs - spanUs : wallOf("from", query.from);
  if (fromUs > toUs) throw badParameter("from", "later than to", "ask for a from before to");
  const answer = await read(id, fromUs, toUs, query.points ?? DEFAULTS.points);
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
