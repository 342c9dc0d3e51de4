import { PROBLEMS } from "@servofleet/contracts";
import { escaped, htmlPage } from "./html-page.ts";
import type { OpenapiDocument } from "./openapi.ts";

interface Parameter {
  readonly name?: string;
  readonly in: string;
  readonly schema?: { readonly description?: string; readonly type?: string; readonly enum?: readonly string[] };
}
interface Operation {
  readonly operationId: string;
  readonly summary: string;
  readonly parameters: readonly Parameter[];
  readonly requestBody?: { readonly content: Readonly<Record<string, { readonly schema: object }>> };
  readonly responses: Readonly<Record<string, { readonly description?: string; readonly content?: object }>>;
}

/** The whole API as one page, made from the OpenAPI document, readable without a network. */
export function referencePage(document: OpenapiDocument): string {
  const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ path, method, operation: operation as Operation })),
  );
  const index = operations
    .map(
      ({ path, method, operation }) =>
        `<tr><td><code>${method.toUpperCase()}</code></td><td><a href="#${operation.operationId}"><code>${escaped(path)}</code></a></td><td>${escaped(operation.summary)}</td></tr>`,
    )
    .join("");
  const problems = Object.keys(PROBLEMS)
    .map((slug) => `<a href="/problems/${slug}">${slug}</a>`)
    .join(", ");
  const shapes = Object.entries(document.components.schemas)
    .map(
      ([name, schema]) => `<h3 id="shape-${name}">${name}</h3><pre>${escaped(JSON.stringify(schema, null, 1))}</pre>`,
    )
    .join("");
  return htmlPage(
    "Servofleet API",
    `<h1>Servofleet API ${escaped(document.info.version)}</h1><p>${escaped(document.info.description)}</p>` +
      `<p>For machines: <a href="/openapi.json">openapi.json</a>, <a href="/asyncapi.json">asyncapi.json</a>. Problems: ${problems}.</p>` +
      `<table>${index}</table>${operations.map(section).join("")}<h2>Shapes</h2>${shapes}`,
  );
}

function section({ path, method, operation }: { path: string; method: string; operation: Operation }): string {
  const parameters = operation.parameters
    .map(({ name, in: place, schema }) => {
      const what = schema?.enum?.join(", ") ?? schema?.type ?? "";
      return `<tr><td><code>${escaped(name ?? "")}</code></td><td>${place}</td><td>${escaped(what)}</td><td>${escaped(schema?.description ?? "")}</td></tr>`;
    })
    .join("");
  const body = operation.requestBody?.content["application/json"]?.schema;
  const answers = Object.entries(operation.responses)
    .map(([status, { description, content }]) => {
      const shape = /schemas\/([A-Za-z]+)/.exec(JSON.stringify(content ?? {}))?.[1];
      const link = shape ? ` <a href="#shape-${shape}">${shape}</a>` : "";
      return `<tr><td>${status}</td><td>${escaped(description ?? "")}${link}</td></tr>`;
    })
    .join("");
  return (
    `<h2 id="${operation.operationId}"><code>${method.toUpperCase()} ${escaped(path)}</code></h2><p>${escaped(operation.summary)}</p>` +
    (parameters && `<table>${parameters}</table>`) +
    (body ? `<p>Body</p><pre>${escaped(JSON.stringify(body, null, 1))}</pre>` : "") +
    `<p>Answers</p><table>${answers}</table>`
  );
}
