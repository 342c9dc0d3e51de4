import { request } from "node:http";

/** A process that the host holds back for some seconds is not dead. */
const ANSWER_LIMIT_MS = 20_000;

/** Asks a service on its own Unix socket, past the gateway; the answer whatever its status. Rejects when nobody answers. */
export function askSocket<T>(socketPath: string, method: string, path: string): Promise<{ status: number; body: T }> {
  return new Promise((resolve, reject) => {
    const asked = request({ socketPath, method, path, timeout: ANSWER_LIMIT_MS }, (answer) => {
      let text = "";
      answer.setEncoding("utf8");
      answer.on("error", reject);
      answer.on("data", (part: string) => {
        text += part;
      });
      answer.on("end", () => resolve({ status: answer.statusCode ?? 0, body: JSON.parse(text) as T }));
    });
    asked.on("timeout", () => asked.destroy(new Error("no answer")));
    asked.on("error", reject);
    asked.end();
  });
}
