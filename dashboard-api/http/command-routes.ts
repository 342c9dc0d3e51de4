import { commandHistory } from "../projections/command-history.ts";
import type { CommandRow } from "../projections/command-row.ts";
import { commandView } from "../views/command-view.ts";
import { pastPosition, wallOf } from "./past-position.ts";
import { ReadRefused } from "./problem-reply.ts";
import { type Answer, type Asked, json, type ReadRoute, type ReadServices } from "./read-route.ts";
import { pageByRank } from "./row-list.ts";

export const routesOfCommands = (services: ReadServices): ReadRoute[] => [
  {
    path: "/v1/commands",
    summary: "Commands, newest first, each with its whole story",
    query: "commands",
    answers: "CommandList",
    uses: ["commands"],
    problems: [],
    answer: (asked) => listCommands(services, asked),
  },
  {
    path: "/v1/commands/:id",
    summary: "One command: what was asked, what became of it, and the bytes on the wire",
    query: "pastOne",
    answers: "Command",
    uses: ["commands"],
    problems: [404],
    answer: (asked) => oneCommand(services, asked),
  },
];

async function listCommands(services: ReadServices, { query }: Asked): Promise<Answer> {
  const { model, past } = services;
  const moment = await pastPosition(services, query);
  const view = moment === null ? null : await past.view(commandHistory, moment);
  const sinceUs = query.since === undefined ? null : wallOf("since", query.since);
  const { axis, state } = query;
  const { rows, nextCursor } = await pageByRank(view?.projector ?? model.projectors.commands, query, {
    matches: (row) =>
      (axis === undefined || row.axis === axis) &&
      (state === undefined || row.state === state) &&
      (sinceUs === null || row.firstUs >= sinceUs),
    where: {
      ...(axis === undefined ? {} : { axis }),
      ...(state === undefined ? {} : { state }),
      ...(sinceUs === null ? {} : { firstUs: sinceUs }),
    },
  });
  const items = rows.map((row) => commandView(row, model.log.logId));
  return { ...json({ items, nextCursor }), ...(view && { position: view.position }) };
}

async function oneCommand(services: ReadServices, { query, params }: Asked): Promise<Answer> {
  const { model, past } = services;
  const id = params["id"] ?? "";
  const moment = await pastPosition(services, query);
  const row = moment === null ? await currentCommand(services, id) : await past.row(commandHistory, id, moment);
  if (row) return { ...json(commandView(row, model.log.logId)), ...(moment === null ? {} : { position: moment }) };
  throw new ReadRefused({
    slug: "not-found",
    detail: `no command "${id.slice(0, 80)}"`,
    remedy: "an id comes from the answer to POST /v1/axes/{axis}/commands; /v1/commands lists the newest",
  });
}

/** From memory, from the projection's file, or, should that have been lost to a full disk, from the command's own events. */
async function currentCommand({ model, past }: ReadServices, id: string): Promise<CommandRow | undefined> {
  const { commands } = model.projectors;
  return (await commands.find(id)) ?? past.row(commandHistory, id, commands.position);
}
