import type { LinkRow } from "../projections/link-board.ts";
import { linkView } from "../views/link-view.ts";
import { unknownId } from "./problem-reply.ts";
import { json, type ReadRoute, type ReadServices } from "./read-route.ts";
import { pageById } from "./row-list.ts";

const shownLinks = (rows: Iterable<LinkRow>): LinkRow[] =>
  [...rows].filter((row) => row.configured).sort((a, b) => a.order - b.order);

export function routesOfLinks({ model, live, clock }: ReadServices): ReadRoute[] {
  // The projectors are asked for each time: a rebuild exchanges them.
  const isOffline = (axis: string) => model.projectors.axes.rows.get(axis)?.state === "offline";
  const view = (row: LinkRow) => linkView(row, live.stats(row.id), isOffline, clock.monotonicMs());
  return [
    {
      path: "/v1/links",
      summary: "Every link with its load, its stop bound and its errors",
      query: "list",
      answers: "LinkList",
      uses: ["links"],
      problems: [],
      answer: ({ query }) => {
        const { rows, nextCursor } = pageById(shownLinks(model.projectors.links.rows.values()), query);
        return json({ items: rows.map(view), nextCursor });
      },
    },
    {
      path: "/v1/links/:link",
      summary: "One link",
      query: "plain",
      answers: "Link",
      uses: ["links"],
      problems: [404],
      answer: ({ params }) => {
        const id = params["link"] ?? "";
        const row = model.projectors.links.rows.get(id);
        if (row?.configured) return json(view(row));
        const known = shownLinks(model.projectors.links.rows.values()).map((link) => link.id);
        throw unknownId("link", id, known);
      },
    },
    {
      path: "/v1/groups",
      summary: "The groups of axes",
      query: "list",
      answers: "GroupList",
      uses: ["groups"],
      problems: [],
      answer: ({ query }) => {
        const all = [...model.projectors.groups.rows.values()].sort((a, b) => a.order - b.order);
        const { rows, nextCursor } = pageById(all, query);
        return json({ items: rows.map(({ id, axes: members }) => ({ id, axes: members })), nextCursor });
      },
    },
  ];
}
