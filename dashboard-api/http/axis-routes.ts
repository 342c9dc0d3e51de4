import type { AxisView } from "@servofleet/contracts";
import type { Aged, LiveSample } from "../live/live-values.ts";
import { axisBoard } from "../projections/axis-board.ts";
import type { AxisRow } from "../projections/axis-row.ts";
import { axisView } from "../views/axis-view.ts";
import { pastPosition } from "./past-position.ts";
import { unknownId } from "./problem-reply.ts";
import type { Answer, Asked, ReadRoute, ReadServices } from "./read-route.ts";
import { pageById } from "./row-list.ts";

/** Axes of the newest configuration, in its order. */
export const shownAxes = (rows: Iterable<AxisRow>): AxisRow[] =>
  [...rows].filter((row) => row.configured).sort((a, b) => a.order - b.order);

export function routesOfAxes(services: ReadServices): ReadRoute[] {
  const one = currentAxis(services);
  return [
    {
      path: "/v1/axes",
      summary: "Every axis with its state and its measured, commanded, sent and acknowledged position",
      query: "axes",
      answers: "AxisList",
      uses: ["axes"],
      problems: [],
      answer: (asked) => listAxes(services, asked),
    },
    {
      path: "/v1/axes/:axis",
      summary: "One axis; its ETag is its version and serves If-Match only",
      query: "pastOne",
      answers: "Axis",
      uses: ["axes"],
      problems: [404],
      answer: ({ query, params }) => {
        const id = params["axis"] ?? "";
        return query.at === undefined && query.atPosition === undefined ? one(id) : pastAxis(services, id, query);
      },
    },
  ];
}

async function listAxes(services: ReadServices, { query }: Asked): Promise<Answer> {
  const { model, live, past, clock } = services;
  const moment = await pastPosition(services, query);
  const view = moment === null ? null : await past.view(axisBoard, moment);
  const now = { wallUs: view?.wallUs ?? clock.wallUs(), monotonicMs: clock.monotonicMs() };
  const all = shownAxes((view?.projector ?? model.projectors.axes).rows.values());
  const { rows, nextCursor } = pageById(
    query.state === undefined ? all : all.filter((row) => row.state === query.state),
    query,
  );
  const items = rows.map((row) => axisView(row, view ? undefined : live.sample(row.id), now));
  return { json: JSON.stringify({ items, nextCursor }), ...(view && { position: view.position }) };
}

async function pastAxis(services: ReadServices, id: string, query: Asked["query"]): Promise<Answer> {
  const moment = (await pastPosition(services, query)) ?? 0;
  const { projector, wallUs, position } = await services.past.view(axisBoard, moment);
  const row = projector.rows.get(id);
  if (!row?.configured) throw unknownId("axis", id, idsOf(projector.rows.values()));
  return { ...answerOf(axisView(row, undefined, { wallUs, monotonicMs: 0 })), position };
}

const idsOf = (rows: Iterable<AxisRow>) => shownAxes(rows).map((row) => row.id);
const answerOf = (view: AxisView): Answer => ({ json: JSON.stringify(view), etag: `"${view.version}"` });

interface Made {
  readonly row: AxisRow;
  readonly live: Aged<LiveSample> | undefined;
  readonly ms: number;
  readonly answer: Answer;
}

/**
 * The hot route. Ages are whole milliseconds, so within one millisecond the same row and sample give the same bytes
 * and are written out once.
 */
function currentAxis({ model, live, clock }: ReadServices): (id: string) => Answer {
  const made = new Map<string, Made>();
  return (id) => {
    // Asked for each time: a rebuild exchanges the projectors.
    const { rows } = model.projectors.axes;
    const row = rows.get(id);
    if (!row?.configured) throw unknownId("axis", id, idsOf(rows.values()));
    const sample = live.sample(id);
    const monotonicMs = clock.monotonicMs();
    const ms = Math.floor(monotonicMs);
    const before = made.get(id);
    if (before && before.ms === ms && before.row === row && before.live === sample) return before.answer;
    const answer = answerOf(axisView(row, sample, { wallUs: clock.wallUs(), monotonicMs }));
    made.set(id, { row, live: sample, ms, answer });
    return answer;
  };
}
