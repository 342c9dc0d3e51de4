import { mkdtemp, rm } from "node:fs/promises";
import { request as httpRequest, type IncomingMessage } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Clock } from "@servofleet/runtime/clock";
import { systemClock } from "@servofleet/runtime/system-clock";
import { SWITCH_PATH } from "../http/switch-route.ts";
import type { LogSource } from "../read-model/log-source.ts";
import { startDashboard } from "../start-dashboard.ts";
import type { TelemetrySource } from "../telemetry/telemetry-source.ts";
import { testFleet } from "./recorded-events.ts";

export interface Reply {
  readonly status: number;
  readonly headers: IncomingMessage["headers"];
  readonly text: string;
  // biome-ignore lint/suspicious/noExplicitAny: tests look into answers of every shape
  readonly body: any;
}

/** A real dashboard service on a real Unix socket in a directory of its own. */
export async function startRig(
  logSource: LogSource,
  more: { clock?: Clock; directory?: string; telemetry?: TelemetrySource; liveSocketPath?: string } = {},
) {
  const directory = more.directory ?? (await mkdtemp(join(tmpdir(), "servofleet-dashboard-")));
  const socketPath = join(directory, "dashboard.sock");
  const silent = () => undefined;
  const dashboard = await startDashboard({
    config: testFleet(),
    logSource,
    telemetry: more.telemetry ?? {
      read: async () => ({ kind: "samples", items: [] }),
      newestBlackBox: async () => ({ kind: "samples", items: [] }),
      usage: async () => undefined,
    },
    liveSocketPath: more.liveSocketPath ?? join(directory, "live.sock"),
    readDirectory: join(directory, "read"),
    socketPath,
    clock: more.clock ?? systemClock(),
    logger: { info: silent, warn: silent, error: silent },
    version: "0.0.0-test",
  });
  await dashboard.ready;
  return {
    directory,
    socketPath,
    lost: dashboard.lost,
    get: (path: string, headers: Record<string, string> = {}, method = "GET") =>
      call(socketPath, path, headers, method),
    /** Hands over the files that a rebuild made. */
    switchTo: (generation: number) =>
      call(socketPath, SWITCH_PATH, { "content-type": "application/json" }, "POST", JSON.stringify({ generation })),
    /** Leaves the files for the next start. */
    stop: () => dashboard.close(),
    async close() {
      await dashboard.close();
      await rm(directory, { recursive: true, force: true });
    },
  };
}
export type Rig = Awaited<ReturnType<typeof startRig>>;

export function call(
  socketPath: string,
  path: string,
  headers: Record<string, string> = {},
  method = "GET",
  payload?: string,
): Promise<Reply> {
  return new Promise((resolve, reject) => {
    httpRequest({ socketPath, path, headers, method, agent: false }, (response) => {
      let text = "";
      response.setEncoding("utf8").on("data", (chunk: string) => (text += chunk));
      response.on("end", () => {
        const isJson = /json/.test(response.headers["content-type"] ?? "") && text !== "";
        const body: unknown = isJson ? JSON.parse(text) : null;
        resolve({ status: response.statusCode ?? 0, headers: response.headers, text, body });
      });
    })
      .on("error", reject)
      .end(payload);
  });
}
