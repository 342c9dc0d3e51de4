import { join } from "node:path";
import { startDashboard } from "@servofleet/dashboard-api";
import type { Clock } from "@servofleet/runtime/clock";
import { openLogReader } from "@servofleet/runtime/log-reader";
import { openTelemetryReader } from "@servofleet/runtime/telemetry-reader";
import { longFleet } from "./rebuild-long-log.ts";

const silent = () => undefined;

/** A read side in this process over a log that nobody writes; ready when this resolves. */
export async function startReadSide(directory: string, clock: Clock) {
  const log = await openLogReader({ file: join(directory, "events.db"), clock });
  const telemetry = await openTelemetryReader({ file: join(directory, "telemetry.db"), clock });
  const socketPath = join(directory, "dashboard.sock");
  const dashboard = await startDashboard({
    config: longFleet(directory),
    logSource: log,
    telemetry,
    liveSocketPath: join(directory, "live.sock"),
    readDirectory: join(directory, "read"),
    socketPath,
    clock,
    logger: { info: silent, warn: silent, error: silent },
    version: "bench",
  });
  await dashboard.ready;
  return {
    socketPath,
    newest: await log.newestPosition(),
    lost: dashboard.lost,
    async stop() {
      await dashboard.close();
      await telemetry.close();
      await log.close();
    },
  };
}
