import type { FastifyInstance } from "fastify";
import { asyncapiDocument } from "./asyncapi.ts";
import { PAGE_HEADERS } from "./html-page.ts";
import { openapiDocument } from "./openapi.ts";
import { QUERY } from "./query-schema.ts";
import type { ReadRoute } from "./read-route.ts";
import { referencePage } from "./reference-page.ts";

/** The contracts, made once from the tables that the server itself runs on. */
export function addDocuments(app: FastifyInstance, routes: readonly ReadRoute[], version: string): void {
  const openapi = openapiDocument(routes, version);
  const documents: Readonly<Record<string, readonly [type: string, text: string]>> = {
    "/openapi.json": ["application/json; charset=utf-8", JSON.stringify(openapi)],
    "/asyncapi.json": ["application/json; charset=utf-8", JSON.stringify(asyncapiDocument(version))],
    "/docs": ["text/html; charset=utf-8", referencePage(openapi)],
  };
  for (const [path, [type, text]] of Object.entries(documents))
    app.get(path, { schema: { querystring: QUERY.none } }, (_request, reply) =>
      reply.headers(PAGE_HEADERS).type(type).send(text),
    );
}
