import { runView } from "../views/run-view.ts";
import { ReadRefused } from "./problem-reply.ts";
import { type Answer, type Asked, json, type ReadRoute, type ReadServices } from "./read-route.ts";
import { pageByRank } from "./row-list.ts";

export const routesOfRuns = (services: ReadServices): ReadRoute[] => [
  {
    path: "/v1/runs",
    summary: "Runs of programs, newest first, with their steps",
    query: "runs",
    answers: "RunList",
    uses: ["runs"],
    problems: [],
    answer: (asked) => listRuns(services, asked),
  },
  {
    path: "/v1/runs/:id",
    summary: "One run: each step, its command, and what undid it",
    query: "plain",
    answers: "Run",
    uses: ["runs"],
    problems: [404],
    answer: (asked) => oneRun(services, asked),
  },
];

async function listRuns({ model }: ReadServices, { query }: Asked): Promise<Answer> {
  const { program, state } = query;
  const { rows, nextCursor } = await pageByRank(model.projectors.runs, query, {
    matches: (row) =>
      (program === undefined || row.program === program) && (state === undefined || row.state === state),
    where: { ...(program === undefined ? {} : { program }), ...(state === undefined ? {} : { state }) },
  });
  return json({ items: rows.map((row) => runView(row, model.log.logId)), nextCursor });
}

async function oneRun({ model }: ReadServices, { params }: Asked): Promise<Answer> {
  const id = params["id"] ?? "";
  const row = await model.projectors.runs.find(id);
  if (row) return json(runView(row, model.log.logId));
  throw new ReadRefused({
    slug: "not-found",
    detail: `no run "${id.slice(0, 80)}"`,
    remedy: "an id comes from the answer to POST /v1/programs/{program}/runs; /v1/runs lists the newest",
  });
}
