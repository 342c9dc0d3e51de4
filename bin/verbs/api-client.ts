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
    const hint = "start it with `npm start` or `servofleet up --config fleet.yaml`, or name it with --url";
    super(`no gateway answers at ${where} (${cause}); ${hint}`);
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
    super(`${problem.title}: ${problem.detail}\n  ${problem.remedy}`);
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
        const body = parse(Buffer.concat(chunks).toString());
        const status = incoming.statusCode ?? 0;
        if (status >= 400 && isProblem(body)) reject(new RefusedError(body));
        else resolve({ status, headers: incoming.headers, body: body as T });
      });
    });
    outgoing.end(payload);
  });
}

/** Opens a server-sent event stream and hands on each event's fields; resolves when it ends or the signal aborts. */
export function follow(
  target: Target,
  path: string,
  onEvent: (event: { id: string; event: string; data: string }) => void,
  signal: AbortSignal,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const outgoing = open(target, "GET", path, { accept: "text/event-stream" });
    signal.addEventListener("abort", () => outgoing.destroy(), { once: true });
    outgoing.on("error", (error: NodeJS.ErrnoException) =>
      signal.aborted ? resolve() : reject(new UnreachableError(target, error.code ?? error.message)),
    );
    outgoing.on("response", (incoming) => {
      let rest = "";
      incoming.setEncoding("utf8");
      incoming.on("data", (chunk: string) => {
        const blocks = (rest + chunk).split("\n\n");
        rest = blocks.pop() ?? "";
        for (const block of blocks) onEvent(parseEvent(block));
      });
      incoming.on("error", () => resolve());
      incoming.on("end", () => resolve());
    });
    outgoing.end();
  });
}

function open(target: Target, method: string, path: string, headers: Record<string, string>) {
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

function parseEvent(block: string): { id: string; event: string; data: string } {
  const field = (name: string) =>
    block
      .split("\n")
      .filter((line) => line.startsWith(`${name}:`))
      .map((line) => line.slice(name.length + 1).replace(/^ /, ""))
      .join("\n");
  return { id: field("id"), event: field("event") || "message", data: field("data") };
}
