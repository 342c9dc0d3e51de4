import { PROBLEMS, type ProblemSlug } from "@servofleet/contracts";
import type { FastifyInstance } from "fastify";
import { escaped, htmlPage, PAGE_HEADERS } from "./html-page.ts";
import { PROBLEM_GUIDE } from "./problem-guide.ts";
import { unknownId } from "./problem-reply.ts";
import { QUERY } from "./query-schema.ts";

const known = (slug: string): slug is ProblemSlug => Object.hasOwn(PROBLEMS, slug);

/** `/problems/{slug}`: where the `type` of every problem leads, a page for people, JSON for programs that ask for it. */
export function addProblemPages(app: FastifyInstance): void {
  app.get<{ Params: { slug: string } }>(
    "/problems/:slug",
    { schema: { querystring: QUERY.none } },
    (request, reply) => {
      const { slug } = request.params;
      if (!known(slug)) throw unknownId("problem", slug, Object.keys(PROBLEMS));
      const { status, title } = PROBLEMS[slug];
      const { means, doThis } = PROBLEM_GUIDE[slug];
      reply.headers({ ...PAGE_HEADERS, vary: "accept" });
      if (wantsJson(request.headers.accept))
        return reply.send({ type: `/problems/${slug}`, title, status, means, doThis });
      const page =
        `<h1>${escaped(title)}</h1><p><code>${slug}</code>, HTTP ${status}</p><h2>What it means</h2><p>${escaped(means)}</p>` +
        `<h2>What to do</h2><p>${escaped(doThis)}</p><p><a href="/docs">API reference</a></p>`;
      return reply.type("text/html; charset=utf-8").send(htmlPage(title, page));
    },
  );
}

/** JSON only where it is named and HTML is not preferred: a browser names HTML first. */
const wantsJson = (accept = ""): boolean => /json/.test(accept) && !/text\/html/.test(accept);
