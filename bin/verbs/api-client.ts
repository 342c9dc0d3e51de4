import { request as httpRequest } from "node:http";
import type { ProblemDocument } from "@servofleet/contracts";

/** Where a request goes: the gateway's port, or a service's own Unix socket when the gateway is dead. */
export type Target =
  | { readonly kind: "url"; readonly url: string }
  | { readonly kind: "socket"; readonly path: string };

export interface Answer<T> {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: T;
}

/** Nobody answered at the target. */
export class UnreachableError extends Error {
  override readonly name = "UnreachableError";
  readonly code = "unreachable";
  readonly facts: Readonly<Record<string, unknown>>;
  readonly hint: string;
  constructor(target: Target, cause: string) {
    const where = target.kind === "url" ? target.url : target.path;
    const hint =
      target.kind === "url"
        ? "start it with `npm start` or `servofleet up --config fleet.yaml`, or name it with --url"
        : "name the data directory of the box with --data; what moves all the same is stopped by the hard-wired circuit";
    super(`no ${target.kind === "url" ? "gateway" : "controller"} answers at ${where} (${cause})`);
    this.facts = { where, cause };
    this.hint = hint;
  }
}

/** The service answered with a problem (RFC 9457). */
export class RefusedError extends Error {
  override readonly name = "RefusedError";
  readonly code: string;
  readonly facts: ProblemDocument;
  readonly hint: string;
  constructor(problem: ProblemDocument) {
    super(`${problem.title}: ${problem.detail}`);
    this.code = problem.type;
    this.facts = problem;
    this.hint = problem.remedy;
  }
}

export interface CallOptions {
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  /** Longest silence before the call is given up, ms. */
  readonly limitMs?: number;
}

const LIMIT_MS = 10_000;

/**
 * One call. Problems become RefusedError, silence becomes UnreachableError.
 * @throws RefusedError | UnreachableError
 */
export function call<T>(target: Target, method: string, path: string, options: CallOptions = {}): Promise<Answer<T>> {
  const payload = options.body === undefined ? undefined : JSON.stringify(options.body);
  const headers = {
    ...(payload === undefined
      ? {}
      : { "content-type": "application/json", "content-length": String(Buffer.byteLength(payload)) }),
    ...options.headers,
  };
  return new Promise((resolve, reject) => {
    const outgoing = open(target, method, path, headers);
    outgoing.setTimeout(options.limitMs ?? LIMIT_MS, () =>
      outgoing.destroy(Object.assign(new UnreachableError(target, "no answer in time"))),
    );
    outgoing.on("error", (error: NodeJS.ErrnoException) =>
      reject(error instanceof UnreachableError ? error : new UnreachableError(target, error.code ?? error.message)),
    );
    outgoing.on("response", (incoming) => {
      const chunks: Buffer[] = [];
      incoming.on("data", (chunk: Buffer) => chunks.push(chunk));
      incoming.on("error", (error) => reject(new UnreachableError(target, error.message)));
      incoming.on("end", () => {
        const text = Buffer.concat(chunks).toString();
        const status = incoming.statusCode ?? 0;
        const problem = problemOf(status, text);
        if (problem) reject(problem);
        else if (status >= 400) reject(new UnreachableError(target, `status ${status}, which is no answer of a box`));
        else resolve({ status, headers: incoming.headers, body: parse(text) as T });
      });
    });
    outgoing.end(payload);
  });
}

/** A problem in an answer's text; undefined when it is none. */
export function problemOf(status: number, text: string): RefusedError | undefined {
  const body = parse(text);
  return status >= 400 && isProblem(body) ? new RefusedError(body) : undefined;
}

/** A request on its way to the gateway, or to a service's own socket. */
export function open(target: Target, method: string, path: string, headers: Record<string, string>) {
  if (target.kind === "socket") return httpRequest({ socketPath: target.path, method, path, headers });
  const url = new URL(path, target.url);
  return httpRequest(url, { method, headers });
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

const isProblem = (body: unknown): body is ProblemDocument =>
  typeof body === "object" && body !== null && "title" in body && "remedy" in body;
