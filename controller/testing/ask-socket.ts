import { type Agent, request as httpRequest } from "node:http";
import type { ProblemDocument } from "@servofleet/contracts";

/** An answer over the socket; a problem's fields are there when it is one. */
export interface Reply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: Record<string, unknown> & Partial<ProblemDocument>;
  readonly text: string;
}

export interface Ask {
  readonly body?: unknown;
  /** Sent as it is, instead of `body`. */
  readonly raw?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** One request to a service on its Unix socket. Rejects when the service is not there or dies before it has answered. */
export function askSocket(
  agent: Agent,
  socketPath: string,
  method: string,
  path: string,
  { body, raw, headers = {} }: Ask = {},
): Promise<Reply> {
  const text = raw ?? (body === undefined ? undefined : JSON.stringify(body));
  const type = text === undefined ? {} : { "content-type": "application/json" };
  return new Promise((resolve, reject) => {
    const request = httpRequest({ socketPath, method, path, headers: { ...type, ...headers }, agent }, (response) => {
      let answer = "";
      response.setEncoding("utf8");
      response.on("error", reject);
      response.on("data", (part: string) => {
        answer += part;
      });
      response.on("end", () => {
        const json = String(response.headers["content-type"] ?? "").includes("json");
        const parsed = json && answer ? JSON.parse(answer) : {};
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body: parsed, text: answer });
      });
    });
    request.on("error", reject);
    request.end(text);
  });
}
